// Deadlines that nobody misses, and waiting for what is to come true.
#pragma once

#include <chrono>
#include <thread>

namespace faultline::test {

inline std::chrono::steady_clock::time_point in_time() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

/// Whether the condition came true within the time; looks every millisecond.
template <class Condition> [[nodiscard]] bool within(std::chrono::milliseconds limit, Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

} // namespace faultline::test
