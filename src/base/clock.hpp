// Ticks: what a thread reads, and what the flusher makes of them.
#pragma once

#include <chrono>
#include <cstdint>

namespace faultline::detail {

/// Where ticks come from. The value is in each cursor, so that a statement decides without a load more.
enum class clock_source : std::uint8_t {
  tsc = 0,       ///< the time stamp counter, where the processor says that it is invariant
  monotonic = 1, ///< CLOCK_MONOTONIC in nanoseconds, read without a system call through the vDSO
};

/// tsc where CPUID leaf 0x80000007 announces an invariant one (AMD64 manual vol. 3, Intel SDM vol. 3 §18.17),
/// else monotonic.
[[nodiscard]] clock_source detect_clock_source() noexcept;

[[nodiscard]] std::uint64_t monotonic_nanoseconds() noexcept;

[[nodiscard]] inline std::uint64_t read_ticks(clock_source source) noexcept {
#if defined(__x86_64__)
  if (source == clock_source::tsc) return __builtin_ia32_rdtsc();
#endif
  return monotonic_nanoseconds();
}

/// Converts ticks to wall time. Two readings of ticks, monotonic and wall clock, one taken when it was made
/// and one at the latest `refresh`, give rate and offset; the rate sharpens as they move apart, and steps of
/// the wall clock are followed at the next refresh. Used by one thread at a time.
class tick_converter {
 public:
  explicit tick_converter(clock_source source) noexcept;

  /// Takes a new reading. Cheap; once a round.
  void refresh() noexcept;

  [[nodiscard]] std::chrono::system_clock::time_point to_wall(std::uint64_t ticks) const noexcept;
  [[nodiscard]] std::chrono::nanoseconds to_duration(std::uint64_t from, std::uint64_t to) const noexcept;
  [[nodiscard]] double nanoseconds_per_tick() const noexcept { return nanoseconds_per_tick_; }

 private:
  struct reading {
    std::uint64_t ticks;
    std::uint64_t monotonic;
    std::int64_t wall;
  };
  [[nodiscard]] reading read() const noexcept;

  clock_source source_;
  reading first_;
  reading latest_;
  double nanoseconds_per_tick_ = 1.0;
};

/// Nanoseconds a tick, measured once for the process over a fifth of a millisecond; 1 for the monotonic
/// source.
[[nodiscard]] double early_nanoseconds_per_tick(clock_source source) noexcept;

} // namespace faultline::detail
