// A small generator of random numbers, the same on every machine.
#pragma once

#include <cstdint>

namespace faultline::test {

/// SplitMix64. Each user has one of its own.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }
  bool percent(unsigned p) noexcept { return below(100) < p; }

 private:
  std::uint64_t state_;
};

} // namespace faultline::test
