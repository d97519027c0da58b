// Ticks: what a thread reads, and what the flusher makes of them.
#pragma once

#include <array>
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

/// All clocks at one moment.
struct clock_reading {
  std::uint64_t ticks;
  std::uint64_t span; ///< ticks that it took, by which it may be wrong
  std::uint64_t monotonic;
  std::int64_t wall;
};

/// Converts ticks to wall time. Two readings of ticks, monotonic and wall clock, the first of its stretch
/// and one at the latest `refresh`, give rate and offset; the rate sharpens as they move apart, and steps of
/// the wall clock are followed at the next refresh.
///
/// A counter may step: back or ahead when a virtual machine is restored or moved, to anything when a machine
/// wakes up. A step ends the stretch in which ticks count evenly, and begins the next. Ticks are of the
/// newest stretch that holds them; what is in none is of a step that is not known yet, and so of the
/// present. Used by one thread at a time.
class tick_converter {
 public:
  explicit tick_converter(clock_source source) noexcept;

  /// Takes a new reading. Cheap; once a round. Returns how far the counter stepped since the last one, by the
  /// monotonic clock: nearly always zero, as is what could be an error of measurement, a millisecond or so.
  std::chrono::nanoseconds refresh() noexcept;

  /// Of ticks read until now, or by other processors a little later.
  [[nodiscard]] std::chrono::system_clock::time_point to_wall(std::uint64_t ticks) const noexcept;
  /// Never negative.
  [[nodiscard]] std::chrono::nanoseconds to_duration(std::uint64_t from, std::uint64_t to) const noexcept;
  /// The latest reading's.
  [[nodiscard]] std::uint64_t ticks() const noexcept { return present_.at.ticks; }

 private:
  struct stretch {
    std::uint64_t begin = 0;
    std::uint64_t ticks = 0; ///< so many from `begin` on, across the counter's end, too
    clock_reading at{};      ///< the latest one
    double nanoseconds_per_tick = 1;

    [[nodiscard]] bool holds(std::uint64_t t) const noexcept { return t - begin < ticks; }
    [[nodiscard]] std::uint64_t ticks_in(double nanoseconds) const noexcept {
      return static_cast<std::uint64_t>(nanoseconds / nanoseconds_per_tick);
    }
    void end_after(double nanoseconds) noexcept { ticks = at.ticks + ticks_in(nanoseconds) - begin; }
    [[nodiscard]] std::int64_t to_monotonic(std::uint64_t t) const noexcept;
  };
  [[nodiscard]] std::int64_t to_monotonic(std::uint64_t ticks) const noexcept;

  clock_source source_;
  double rate_error_;   // of the present rate, as a part of it, at most
  clock_reading first_; // of the present stretch
  stretch present_;
  std::array<stretch, 4> earlier_; // newest first; those without ticks are none
};

/// Nanoseconds a tick, measured over a tenth of a millisecond until two results agree; 1 of a counter for
/// which they never do.
[[nodiscard]] double measure_nanoseconds_per_tick(clock_source source) noexcept;

/// The same, measured once for the process; 1 for the monotonic source.
[[nodiscard]] double early_nanoseconds_per_tick(clock_source source) noexcept;

} // namespace faultline::detail
