// What a child of a fork does with the runtime it inherited.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <faultline/faultline.hpp>

namespace faultline::stress {

/// Logs two records to a target of its own and stops. Returns 0 when its own two records, and
/// nothing of the parent's, reached the target, and the ledgers close.
inline int log_in_child(runtime& r, const logger& lg) {
  const auto own = make_memory_handler();
  const std::uint64_t inherited = r.stats().logged; // counts of the parent without a thread
  {
    const error_scope scope(lg, {.target = own});
    FAULTLINE_DEBUG(lg, "child held");
    FAULTLINE_ERROR(lg, "child failed");
  }
  if (!r.flush(std::chrono::seconds(30))) return 1;
  if (own->messages() != std::vector<std::string>{"child held", "child failed"}) return 2;
  const runtime_stats s = r.stats();
  if (s.logged != inherited + 2 || s.taken != s.written || s.in_flight != 0) return 3;
  return r.stop(std::chrono::seconds(30)) ? 0 : 4;
}

} // namespace faultline::stress
