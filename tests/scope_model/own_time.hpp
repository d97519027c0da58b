// The time of programs: it passes where the program says so.
#pragma once

#include <chrono>

namespace faultline::scope_model {

/// While it lives the time stamp counter and the system's clocks are the program's own, for all threads. They
/// go on by 30 ns at each reading, so that nobody who waits for them waits for ever, and otherwise by `pass`
/// alone.
class own_time {
 public:
  own_time() noexcept;
  own_time(const own_time&) = delete;
  own_time& operator=(const own_time&) = delete;
  ~own_time();

  static void pass(std::chrono::nanoseconds time) noexcept;
};

} // namespace faultline::scope_model
