#include "flusher/router.hpp"

#include <algorithm>

namespace faultline::detail {
namespace {

/// Calls `use` with each stay that could concern a record of the logger.
template <class Use> void for_each_stay(const node& logger, Use&& use) {
  for (const node* n = &logger; n != nullptr; n = n->up())
    if (const attachment_list* list = n->attachments.load(std::memory_order_acquire)) // whole: see publish
      for (const attachment& a : *list) use(a);
}

} // namespace

void router::find(const node& logger, level l, std::uint64_t ticks) {
  forget(); // should memory be short below
  targets_.clear();
  from_ = 0;
  until_ = UINT64_MAX;
  for_each_stay(logger, [&](const attachment& a) {
    if (l < a.threshold) return;
    for (const std::uint64_t boundary : {a.since, a.until}) {
      if (boundary <= ticks)
        from_ = std::max(from_, boundary);
      else
        until_ = std::min(until_, boundary);
    }
    if (a.since <= ticks && ticks < a.until &&
        std::find(targets_.begin(), targets_.end(), a.target) == targets_.end())
      targets_.push_back(a.target);
  });
  logger_ = &logger;
  level_ = l;
}

bool router::serves(const node& logger, const handler* target, level l, std::uint64_t ticks) noexcept {
  bool found = false;
  for_each_stay(logger, [&](const attachment& a) {
    found = found || (a.target == target && a.since <= ticks && ticks < a.until && l >= a.threshold);
  });
  return found;
}

} // namespace faultline::detail
