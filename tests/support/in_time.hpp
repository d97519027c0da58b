// A deadline that nobody misses.
#pragma once

#include <chrono>

namespace faultline::test {

inline std::chrono::steady_clock::time_point in_time() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

} // namespace faultline::test
