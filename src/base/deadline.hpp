// Parts of the time that is left until a deadline.
#pragma once

#include <algorithm>
#include <chrono>

namespace faultline::detail {

/// When the first of `parts` that share the time from now until `until` has had its share; now, when that is
/// over.
inline std::chrono::steady_clock::time_point end_of_share(std::chrono::steady_clock::time_point until,
                                                          std::chrono::steady_clock::rep parts) noexcept {
  using clock = std::chrono::steady_clock;
  const auto now = clock::now();
  return now + std::max(until - now, clock::duration::zero()) / parts;
}

/// A little before `until`, so that who waits until then learns how it went: an eighth of the time since
/// `begin`.
inline std::chrono::steady_clock::time_point
just_before(std::chrono::steady_clock::time_point until,
            std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now()) noexcept {
  using clock = std::chrono::steady_clock;
  constexpr clock::duration most = std::chrono::milliseconds(250);
  return until - std::clamp((until - begin) / 8, clock::duration::zero(), most);
}

} // namespace faultline::detail
