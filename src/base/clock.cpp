#include "base/clock.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/test_point.hpp"

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

clock_reading read_clocks(clock_source source) noexcept {
  // Of three readings the one that took the fewest ticks: a preemption between the clocks, or a step of the
  // counter, would skew it.
  clock_reading best{};
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = read_ticks(source);
    const std::uint64_t monotonic = monotonic_nanoseconds();
    const auto wall = static_cast<std::int64_t>(nanoseconds_of(CLOCK_REALTIME));
    const std::uint64_t span = read_ticks(source) - before;
    if (i == 0 || span < best.span) best = {before + span / 2, span, monotonic, wall};
  }
  return best;
}

double rate_between(const clock_reading& from, const clock_reading& to) noexcept {
  return difference(from.monotonic, to.monotonic) / difference(from.ticks, to.ticks);
}

/// What the rate between two readings may be wrong by, as a part of it.
double rate_error(const clock_reading& from, const clock_reading& to) noexcept {
  constexpr double slewing = 0.01; // of the monotonic clock, with much to spare
  return slewing + static_cast<double>(from.span + to.span) / difference(from.ticks, to.ticks);
}

constexpr double early_error = 0.05;
/// Of the rate before a step, which may have been another machine's.
constexpr double rough_error = 0.5;

constexpr double least_step_ns = 1e6;
/// So much later than the latest reading ticks may be that are to be converted.
constexpr double slack_ns = 1e9;

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

double measure_nanoseconds_per_tick(clock_source source) noexcept {
  const auto measure = [source] {
    const clock_reading start = read_clocks(source);
    while (monotonic_nanoseconds() - start.monotonic < 100'000) {
    }
    return rate_between(start, read_clocks(source));
  };
  double rate = measure();
  for (int i = 0; i < 10; ++i) { // until two agree: a step, or a preemption, spoils one of them
    const double before = std::exchange(rate, measure());
    if (rate > 0 && std::abs(rate - before) <= rate / 100) break;
  }
  return rate > 1e-3 && rate < 1e3 ? rate : 1.0; // of a counter, at all
}

double early_nanoseconds_per_tick(clock_source source) noexcept {
  if (source == clock_source::monotonic) return 1.0;
  static const double measured = measure_nanoseconds_per_tick(source);
  return measured;
}

tick_converter::tick_converter(clock_source source) noexcept
    : source_(source), rate_error_(source == clock_source::tsc ? early_error : 0),
      first_(read_clocks(source)) {
  present_.at = first_;
  present_.nanoseconds_per_tick = early_nanoseconds_per_tick(source);
  present_.begin = first_.ticks - present_.ticks_in(slack_ns); // another processor's may be a little earlier
  present_.end_after(slack_ns);
}

std::chrono::nanoseconds tick_converter::refresh() noexcept {
  const clock_reading before = present_.at;
  const clock_reading now = read_clocks(source_);
  const double rate = present_.nanoseconds_per_tick;
  const double passed = difference(before.monotonic, now.monotonic);
  const double step = difference(before.ticks, now.ticks) * rate - passed;
  const double spans = static_cast<double>(before.span + now.span) * rate;
  const bool stepped = !is_planted(planted_fault::counter_is_trusted) &&
                       std::abs(step) > least_step_ns + passed * rate_error_ + spans;
  if (stepped) { // somewhere between the two readings: both stretches take all the time between them
    present_.end_after(passed);
    std::move_backward(earlier_.begin(), earlier_.end() - 1, earlier_.end());
    earlier_.front() = present_;
    present_.begin = now.ticks - present_.ticks_in(passed);
    first_ = now;
    rate_error_ = rough_error;
  }
  constexpr std::uint64_t long_enough = 10'000'000; // 10 ms: below it the earlier measure is the better one
  if (source_ == clock_source::tsc && now.monotonic - first_.monotonic > long_enough) {
    const double measured = rate_between(first_, now);
    const double error = rate_error(first_, now);
    if (measured > 0 && error < rate_error_) {
      present_.nanoseconds_per_tick = measured;
      rate_error_ = error;
    }
  }
  present_.at = now;
  present_.end_after(slack_ns);
  return std::chrono::nanoseconds(stepped ? static_cast<std::int64_t>(step) : 0);
}

std::int64_t tick_converter::stretch::to_monotonic(std::uint64_t t) const noexcept {
  return static_cast<std::int64_t>(at.monotonic) +
         static_cast<std::int64_t>(difference(at.ticks, t) * nanoseconds_per_tick);
}

std::int64_t tick_converter::to_monotonic(std::uint64_t ticks) const noexcept {
  if (present_.holds(ticks)) return present_.to_monotonic(ticks);
  for (const stretch& s : earlier_)
    if (s.holds(ticks)) return s.to_monotonic(ticks);
  return static_cast<std::int64_t>(present_.at.monotonic);
}

std::chrono::system_clock::time_point tick_converter::to_wall(std::uint64_t ticks) const noexcept {
  const std::int64_t offset = to_monotonic(ticks) - static_cast<std::int64_t>(present_.at.monotonic);
  return std::chrono::system_clock::time_point(std::chrono::nanoseconds(present_.at.wall + offset));
}

std::chrono::nanoseconds tick_converter::to_duration(std::uint64_t from, std::uint64_t to) const noexcept {
  return std::chrono::nanoseconds(std::max<std::int64_t>(to_monotonic(to) - to_monotonic(from), 0));
}

} // namespace faultline::detail
