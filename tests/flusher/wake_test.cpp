// A thread that would lose something wakes a flusher that rests, and nobody else does.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "buffer/outbox.hpp"
#include "handover/flusher_rest.hpp"
#include "support/catch.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::detail::basic_rest;
using faultline::detail::rest_atomic;
using faultline::test::closes;
using faultline::test::within;

namespace {

constexpr std::chrono::minutes long_rest(1);

/// Its flusher rests for a minute between any two rounds.
runtime_options sleepy(handler_ptr target, runtime_options options = {}) {
  options.default_target = std::move(target);
  options.busy_interval = options.idle_interval = long_rest;
  return options;
}

/// The first record starts the flusher, whose first rounds may fall anywhere: it rests when this returns.
void let_it_rest(runtime& rt) {
  rt.attach_thread();
  REQUIRE(rt.flush());
  std::uint64_t rounds = 0;
  do {
    rounds = rt.stats().rounds;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  } while (rt.stats().rounds != rounds);
}

void fail(logger lg, int i) {
  FAULTLINE_SCOPE(lg, .name = "request");
  FAULTLINE_DEBUG(lg, "detail {}", i);
  FAULTLINE_ERROR(lg, "failed {}", i);
}

} // namespace

TEST_CASE("lines that fill an eighth of the outbox wake the flusher, and all are written") {
  const auto target = make_memory_handler();
  runtime rt(sleepy(target, {.outbox_bytes = 64U << 10}));
  const logger lg = rt.get_logger("srv");
  lg.add_handler(target);
  let_it_rest(rt);
  int logged = 0;
  // Paced by what arrives: a flusher that slept for its minute would let the ring fill up.
  for (; logged < 20'000; ++logged) {
    FAULTLINE_INFO(lg, "line {} of a burst after silence", logged);
    if (logged % 300 == 299)
      REQUIRE(within(std::chrono::seconds(20),
                     [&] { return target->records().size() + 300 > static_cast<std::size_t>(logged); }));
  }
  REQUIRE(rt.flush());
  CHECK(target->records().size() == static_cast<std::size_t>(logged));
  CHECK(rt.stats().lost == 0);
}

TEST_CASE("failures that take an eighth of the buffers wake the flusher") {
  const auto target = make_memory_handler();
  runtime rt(sleepy(target, {.buffers_per_thread = 16}));
  const logger lg = rt.get_logger("srv");
  let_it_rest(rt);
  fail(lg, 0);
  fail(lg, 1);
  CHECK(within(std::chrono::seconds(20), [&] { return target->dumps().size() == 2; }));
}

TEST_CASE("wake_policy::never lets the flusher sleep") {
  const auto target = make_memory_handler();
  runtime rt(sleepy(target, {.buffers_per_thread = 4, .wake = wake_policy::never}));
  const logger lg = rt.get_logger("srv");
  let_it_rest(rt);
  const std::uint64_t rounds = rt.stats().rounds;
  for (int i = 0; i < 10; ++i) fail(lg, i);
  std::this_thread::sleep_for(std::chrono::milliseconds(100)); // what is not to happen has had its time
  CHECK(rt.stats().rounds == rounds);
  CHECK(rt.stats().contexts_refused == 7);
  REQUIRE(rt.flush());
  CHECK(closes(rt.stats()));
}

TEST_CASE("held records, and trips and lines without pressure, wake nobody") {
  const auto target = make_memory_handler();
  runtime rt(sleepy(target));
  const logger lg = rt.get_logger("srv");
  lg.add_handler(target);
  target->set_level(level::info);
  let_it_rest(rt);
  const std::uint64_t rounds = rt.stats().rounds;
  for (int i = 0; i < 100'000; ++i) {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "held {}", i);
  }
  for (int i = 0; i < 10; ++i) FAULTLINE_INFO(lg, "line {}", i);
  for (int i = 0; i < 3; ++i) fail(lg, i);
  std::this_thread::sleep_for(std::chrono::milliseconds(100)); // what is not to happen has had its time
  CHECK(rt.stats().rounds == rounds);
  REQUIRE(rt.flush());
  CHECK(target->records().size() == 10 + 2 * 3);
}

TEST_CASE(
    "the outbox is in memory as far as it is needed: a thread whose flusher keeps up uses its beginning") {
  alignas(64) static std::byte ring[4096];
  detail::outbox out;
  out.place(ring, sizeof ring);
  std::size_t furthest = 0;
  for (int i = 0; i < 1000; ++i) {
    detail::outbox_entry* const entry = out.prepare(0, 0, 24, false);
    REQUIRE(entry != nullptr);
    furthest = std::max(furthest,
                        static_cast<std::size_t>(reinterpret_cast<std::byte*>(entry) - ring) + entry->bytes);
    const std::uint64_t at = out.position();
    out.publish(*entry);
    CHECK(&out.at(at) == entry);
    out.release(out.published());
  }
  CHECK(furthest <= sizeof ring / 8);
}

TEST_CASE("of those that ask a flusher that rests the first wakes it, and one that is in need") {
  basic_rest<rest_atomic> rest;
  CHECK_FALSE(rest.ask(false)); // it is awake
  CHECK_FALSE(rest.ask(true));
  rest.begin();
  CHECK(rest.ask(false));
  CHECK_FALSE(rest.ask(false));
  CHECK(rest.ask(true)); // the first may have lost the processor before it woke the flusher
  CHECK_FALSE(rest.ask(true));
  rest.end();
  CHECK_FALSE(rest.ask(true));
}

#ifndef FAULTLINE_TEST_SANITIZED // their own memory is more
namespace {

/// Bytes of the process in memory.
std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

TEST_CASE(
    "of the address space that a thread has for bursts it uses a small part, though some requests fail") {
  constexpr std::size_t threads = 16;
  runtime rt({.default_target = make_null_handler()});
  const logger lg = rt.get_logger("srv");
  const auto lines = make_null_handler();
  lines->set_level(level::info);
  lg.add_handler(lines);
  fail(lg, 0);
  REQUIRE(rt.flush());
  std::atomic<std::size_t> served{0};
  std::atomic<bool> over{false};
  const std::size_t before = resident_bytes();
  std::vector<std::jthread> pool;
  for (std::size_t t = 0; t < threads; ++t)
    pool.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        FAULTLINE_SCOPE(lg);
        for (int r = 0; r < 20; ++r) FAULTLINE_DEBUG(lg, "held {}", r);
        FAULTLINE_INFO(lg, "request {} of client {}", i, "192.168.178.21");
        if (i % 1000 == 0) {
          fail(lg, i);
          (void)rt.flush();
        }
        if (i % 20 == 0) (void)rt.flush();
      }
      ++served;
      while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  REQUIRE(within(std::chrono::seconds(60), [&] { return served == threads; }));
  const std::size_t each = (resident_bytes() - before) / threads;
  over = true;
  INFO(each << " bytes a thread");
  CHECK(each <= 256U << 10);
  CHECK(rt.stats().thread_memory_bytes > threads * (1U << 20)); // of which it is a part
}
#endif
