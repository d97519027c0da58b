#include "flusher/rest_schedule.hpp"

#include <algorithm>

namespace faultline::detail {

std::chrono::nanoseconds rest_schedule::after(const round::outcome& outcome) noexcept {
  if (options_.flusher == flusher_mode::spinning) return {};
  constexpr unsigned rounds_after_press = 64;
  constexpr unsigned rounds_before_longer_rests = 50;
  constexpr std::chrono::milliseconds while_threads_log(10);
  if (outcome.busy || outcome.worked) {
    quiet_rounds_ = 0;
    rest_ = options_.busy_interval;
  }
  // Threads that fill what they have do so again: for a while the rests are short.
  if (outcome.busy) {
    pressed_ = rounds_after_press;
    return {};
  }
  if (pressed_ > 0) {
    --pressed_;
    return options_.busy_interval / 16;
  }
  if (outcome.worked) return rest_;
  if (++quiet_rounds_ <= rounds_before_longer_rests) return rest_;
  std::chrono::nanoseconds longest = std::max(options_.idle_interval, options_.busy_interval);
  if (outcome.active) longest = std::min<std::chrono::nanoseconds>(longest, while_threads_log);
  rest_ = std::min(std::max(rest_ * 2, std::chrono::nanoseconds(1)), longest);
  return rest_;
}

} // namespace faultline::detail
