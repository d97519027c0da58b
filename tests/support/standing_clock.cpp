#include "support/standing_clock.hpp"

#include <atomic>
#include <cstdint>
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.hpp"

namespace {

std::atomic<std::int64_t> standing_ns{0}; // 0: it goes

} // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (const std::int64_t ns = standing_ns.load(); clock == CLOCK_MONOTONIC && ns != 0) {
    *time = {ns / 1'000'000'000, ns % 1'000'000'000};
    return 0;
  }
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

namespace faultline::test {

standing_clock::standing_clock() {
  (void)detail::early_nanoseconds_per_tick(detail::detect_clock_source()); // takes a while, by that clock
  standing_ns = static_cast<std::int64_t>(detail::monotonic_nanoseconds());
}
standing_clock::~standing_clock() { standing_ns = 0; }

void standing_clock::advance(std::chrono::nanoseconds time) noexcept { standing_ns += time.count(); }

} // namespace faultline::test
