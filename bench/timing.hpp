// Clocks, processors and memory, as the scenarios measure with them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

#include <sched.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "latency_histogram.hpp"

namespace bench {

inline std::uint64_t nanoseconds_of(clockid_t clock) noexcept {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}
inline std::uint64_t wall_ns() noexcept { return nanoseconds_of(CLOCK_MONOTONIC); }
inline std::uint64_t process_cpu_ns() noexcept { return nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID); }
inline std::uint64_t thread_cpu_ns() noexcept { return nanoseconds_of(CLOCK_THREAD_CPUTIME_ID); }

/// The finest clock there is, read as it is.
inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return wall_ns();
#endif
}

/// The finest clock, read after all instructions before it and before all behind it.
inline std::uint64_t fenced_ticks() noexcept {
#if defined(__x86_64__)
  _mm_lfence();
  const std::uint64_t t = __rdtsc();
  _mm_lfence();
  return t;
#else
  return wall_ns();
#endif
}

/// What is known of the finest clock: its rate, measured against CLOCK_MONOTONIC, its step, and what a pair
/// of fenced readings with nothing between them shows.
struct tick_clock {
  double ns_per_tick = 1;
  double step_ns = 0;               ///< the smallest difference seen that is not 0
  std::uint64_t overhead_ticks = 0; ///< median of an empty pair; subtracted from each latency

  static const tick_clock& instance() {
    static const tick_clock measured = measure();
    return measured;
  }

  [[nodiscard]] double to_ns(std::uint64_t ticks_passed) const noexcept {
    return static_cast<double>(ticks_passed) * ns_per_tick;
  }

 private:
  static tick_clock measure() {
    tick_clock c;
    const std::uint64_t wall = wall_ns();
    const std::uint64_t begin = ticks();
    while (wall_ns() - wall < 10'000'000) {
    }
    const std::uint64_t end = ticks();
    c.ns_per_tick = static_cast<double>(wall_ns() - wall) / static_cast<double>(end - begin);
    latency_histogram pairs;
    std::uint64_t step = ~std::uint64_t{0};
    std::uint64_t last = fenced_ticks();
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t before = fenced_ticks();
      const std::uint64_t after = fenced_ticks();
      pairs.record(after - before);
      for (const std::uint64_t d : {before - last, after - before})
        if (d != 0) step = std::min(step, difference_of(d, step));
      last = after;
    }
    c.overhead_ticks = pairs.percentile(50);
    c.step_ns = c.to_ns(step);
    return c;
  }

  /// The greatest common divisor of the differences is the clock's step, however long a reading takes.
  static std::uint64_t difference_of(std::uint64_t a, std::uint64_t b) noexcept {
    if (b == ~std::uint64_t{0}) return a;
    while (b != 0) {
      const std::uint64_t rest = a % b;
      a = b;
      b = rest;
    }
    return a;
  }
};

/// Keeps the calling thread, and threads that it starts, on one processor. Where there are fewer, nothing
/// happens.
inline void pin_to(unsigned processor) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  (void)sched_setaffinity(0, sizeof set, &set);
}

inline void unpin() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); ++i) CPU_SET(static_cast<std::size_t>(i), &set);
  (void)sched_setaffinity(0, sizeof set, &set);
}

inline constexpr unsigned producer_processor = 0;
inline constexpr unsigned back_end_processor = 1;

/// What a request does besides logging: reads and writes memory until the first-level cache holds nothing
/// else.
class other_work {
 public:
  void run() noexcept {
    for (std::size_t i = 0; i < memory_.size(); i += line) memory_[i] = static_cast<char>(memory_[i] + 1);
    asm volatile("" : : "r"(memory_.data()) : "memory");
  }
  static constexpr std::size_t bytes = 64U << 10;

 private:
  static constexpr std::size_t line = 64;
  std::vector<char> memory_ = std::vector<char>(bytes);
};

/// The process's resident memory in bytes.
inline std::uint64_t resident_bytes() noexcept {
  std::FILE* f = std::fopen("/proc/self/statm", "re");
  if (f == nullptr) return 0;
  unsigned long all = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(f, "%lu %lu", &all, &resident);
  (void)std::fclose(f);
  return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

} // namespace bench
