// A monotonic clock that goes on when the test says so, for what hangs on how much time two statements take:
// tokens of a storm, above all.
#pragma once

#include <chrono>

namespace faultline::test {

/// While it lives CLOCK_MONOTONIC stands still for the whole program. For runtimes whose rounds the test
/// runs: nobody may wait meanwhile. A round takes it for a step of the time stamp counter, and says so.
class standing_clock {
 public:
  standing_clock();
  standing_clock(const standing_clock&) = delete;
  standing_clock& operator=(const standing_clock&) = delete;
  ~standing_clock();

  static void advance(std::chrono::nanoseconds time) noexcept;
};

} // namespace faultline::test
