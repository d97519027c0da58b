#include "stepping_clocks.hpp"

#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/test_point.hpp"
#include "support/catch.hpp"

namespace faultline::stress {
namespace {

constexpr std::int64_t own_wall_s = 1'700'000'000;
constexpr std::int64_t usual_rate = ticks_per_ns * 1'000'000;
std::atomic<std::int64_t> rate{usual_rate};

std::int64_t system_ns(clockid_t clock) noexcept {
  timespec now{};
  ::syscall(SYS_clock_gettime, clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::int64_t monotonic_ns() noexcept {
  // Beside the system's time the counter is that of a machine that is up for a day.
  return own_time.load() ? own_ns.fetch_add(reading_ns.load())
                         : system_ns(CLOCK_MONOTONIC) + 86'400'000'000'000;
}

std::int64_t ticks_at(std::int64_t ns) noexcept {
  const std::int64_t r = rate.load();
  return ns / 1'000'000 * r + ns % 1'000'000 * r / 1'000'000;
}

} // namespace

void make_step(step kind) noexcept {
  constexpr std::int64_t second = 1'000'000'000 * ticks_per_ns;
  switch (kind) {
  case step::back_2_s: offset_ticks -= 2 * second; return;
  case step::back_1_h: offset_ticks -= 3600 * second; return;
  case step::to_zero: offset_ticks = -ticks_at(monotonic_ns()); return;
  case step::ahead_1_day: offset_ticks += 86'400 * second; return;
  case step::none:
  case step::stands_still:
  case step::wild:
  case step::runs_back: return;
  }
}

void set_rate(std::int64_t ticks_per_ms) noexcept {
  const std::int64_t now = monotonic_ns();
  const std::int64_t before = ticks_at(now);
  rate = ticks_per_ms;
  offset_ticks += before - ticks_at(now);
}

wall_time own_now() {
  return wall_time(std::chrono::seconds(own_wall_s) + std::chrono::nanoseconds(own_ns.load()));
}

stage::stage(step kind, std::uint64_t at) {
  own_time = true;
  offset_ticks = 0;
  readings = 0;
  step_kind = kind;
  step_at = at;
}

stage::~stage() {
  own_time = false;
  reading_ns = 30;
  rate = usual_rate;
  offset_ticks = 0;
  step_at = 0;
  step_kind = step::none;
}

bool is_available() {
  const bool is = detail::detect_clock_source() == detail::clock_source::tsc;
  if (!is) WARN("this processor has no time stamp counter to read: nothing is shown");
  return is;
}

} // namespace faultline::stress

using namespace faultline::stress;

extern "C" unsigned long long faultline_test_counter() noexcept {
  const std::uint64_t reading = readings.fetch_add(1) + 1;
  if (reading == step_at.load()) make_step(step_kind);
  if (step_kind == step::stands_still) return 1000;
  if (step_kind == step::runs_back)
    return 1'000'000'000'000'000U - static_cast<unsigned long long>(monotonic_ns() / 4);
  if (step_kind == step::wild) return reading * 0x9E37'79B9'7F4A'7C15U >> 8;
  const auto read = static_cast<unsigned long long>(ticks_at(monotonic_ns()) + offset_ticks.load());
  if (reading == act_at.load()) action();
  return read;
}

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (!own_time.load()) return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  const std::int64_t ns = own_ns.fetch_add(reading_ns.load());
  *time = {(clock == CLOCK_REALTIME ? own_wall_s : 0) + ns / 1'000'000'000, ns % 1'000'000'000};
  return 0;
}

namespace faultline::detail {

void test_point(race_point /*here*/) noexcept {}
bool is_planted(planted_fault fault) noexcept {
  return fault == planted_fault::counter_is_trusted && trusted.load();
}

} // namespace faultline::detail
