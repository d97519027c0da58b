#include "flusher/router.hpp"

#include <algorithm>

namespace faultline::detail {

void router::find(const node& logger, level l, std::uint32_t version) {
  forget(); // should memory be short below
  targets_.clear();
  from_ = 0;
  until_ = attachment::no_end;
  for_each_stay(logger, [&](const attachment& a) {
    if (l < a.threshold) return;
    for (const std::uint32_t change : {a.since, a.until}) {
      if (change <= version)
        from_ = std::max(from_, change);
      else
        until_ = std::min(until_, change);
    }
    if (a.holds(version) && std::find(targets_.begin(), targets_.end(), a.target) == targets_.end())
      targets_.push_back(a.target);
  });
  logger_ = &logger;
  level_ = l;
}

} // namespace faultline::detail
