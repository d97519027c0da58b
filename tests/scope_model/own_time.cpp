#include "scope_model/own_time.hpp"

#include <atomic>
#include <cstdint>
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr std::int64_t ns_per_reading = 30;
constexpr unsigned ticks_per_ns = 3;
constexpr std::int64_t own_wall_s = 1'700'000'000;

// Relaxed: programs are played one after another, and by one thread each.
std::atomic<bool> is_own{false};
std::atomic<std::int64_t> own_ns{7'200'000'000'000}; // the machine is up for two hours

std::int64_t monotonic_ns() noexcept {
  if (is_own.load(std::memory_order_relaxed))
    return own_ns.fetch_add(ns_per_reading, std::memory_order_relaxed);
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

} // namespace

extern "C" unsigned long long faultline_test_counter() noexcept {
  return static_cast<unsigned long long>(monotonic_ns()) * ticks_per_ns;
}

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (!is_own.load(std::memory_order_relaxed))
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  const std::int64_t ns = monotonic_ns();
  *time = {(clock == CLOCK_REALTIME ? own_wall_s : 0) + ns / 1'000'000'000, ns % 1'000'000'000};
  return 0;
}

namespace faultline::scope_model {

own_time::own_time() noexcept { is_own.store(true, std::memory_order_relaxed); }
own_time::~own_time() { is_own.store(false, std::memory_order_relaxed); }

void own_time::pass(std::chrono::nanoseconds time) noexcept {
  own_ns.fetch_add(time.count(), std::memory_order_relaxed);
}

} // namespace faultline::scope_model
