#include "base/clock.hpp"

#include <ctime>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace faultline::detail {
namespace {

std::uint64_t nanoseconds_of(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

double difference(std::uint64_t from, std::uint64_t to) noexcept {
  return static_cast<double>(static_cast<std::int64_t>(to - from));
}

} // namespace

clock_source detect_clock_source() noexcept {
#if defined(__x86_64__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned invariant_tsc = 1U << 8;
  if (__get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & invariant_tsc) != 0) return clock_source::tsc;
#endif
  return clock_source::monotonic;
}

std::uint64_t monotonic_nanoseconds() noexcept { return nanoseconds_of(CLOCK_MONOTONIC); }

double early_nanoseconds_per_tick(clock_source source) noexcept {
  if (source == clock_source::monotonic) return 1.0;
  static const double measured = [source] {
    const std::uint64_t ticks = read_ticks(source);
    const std::uint64_t start = monotonic_nanoseconds();
    std::uint64_t now = start;
    while (now - start < 200'000) now = monotonic_nanoseconds();
    return difference(start, now) / difference(ticks, read_ticks(source));
  }();
  return measured;
}

tick_converter::tick_converter(clock_source source) noexcept
    : source_(source), first_(read()), latest_(first_) {
  nanoseconds_per_tick_ = early_nanoseconds_per_tick(source);
}

tick_converter::reading tick_converter::read() const noexcept {
  // Of three readings the one that took the fewest ticks: a preemption between the clocks would skew the
  // pair.
  reading best{};
  std::uint64_t best_span = UINT64_MAX;
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = read_ticks(source_);
    const std::uint64_t monotonic = monotonic_nanoseconds();
    const auto wall = static_cast<std::int64_t>(nanoseconds_of(CLOCK_REALTIME));
    const std::uint64_t after = read_ticks(source_);
    if (after - before >= best_span) continue;
    best_span = after - before;
    best = {before + (after - before) / 2, monotonic, wall};
  }
  return best;
}

void tick_converter::refresh() noexcept {
  latest_ = read();
  constexpr std::uint64_t long_enough = 10'000'000; // 10 ms: below it the early measure is the better one
  if (source_ == clock_source::tsc && latest_.monotonic - first_.monotonic > long_enough)
    nanoseconds_per_tick_ =
        difference(first_.monotonic, latest_.monotonic) / difference(first_.ticks, latest_.ticks);
}

std::chrono::system_clock::time_point tick_converter::to_wall(std::uint64_t ticks) const noexcept {
  const auto offset = static_cast<std::int64_t>(difference(latest_.ticks, ticks) * nanoseconds_per_tick_);
  return std::chrono::system_clock::time_point(std::chrono::nanoseconds(latest_.wall + offset));
}

std::chrono::nanoseconds tick_converter::to_duration(std::uint64_t from, std::uint64_t to) const noexcept {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(difference(from, to) * nanoseconds_per_tick_));
}

} // namespace faultline::detail
