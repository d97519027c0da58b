// The wall clock is set forward and back by an hour while threads log. `clock_gettime` and `gettimeofday` of
// this program add a shift of the test's to CLOCK_REALTIME, for everyone who calls them by name.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

#include "ledgers.hpp"
#include "scale.hpp"
#include "support/catch.hpp"

namespace {

std::atomic<std::int64_t> shift_seconds{0};

} // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += shift_seconds.load(std::memory_order_relaxed);
  return static_cast<int>(result);
}

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

/// Whether the numbers of each thread's records count up.
bool in_order(const std::vector<stored_record>& records, const std::vector<std::string>& names) {
  std::vector<std::uint64_t> next(names.size(), 0);
  for (const stored_record& r : records)
    for (std::size_t i = 0; i < names.size(); ++i)
      if (r.logger == names[i] && r.message != "record " + std::to_string(next[i]++)) return false;
  return true;
}

} // namespace

TEST_CASE("a wall clock that steps by an hour, to and fro, hangs nobody and mixes up no thread's records") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target, .outbox_bytes = 1U << 20, .storm_dumps_per_second = 0});
  const std::vector<std::string> names{"first", "second"};
  std::atomic<std::size_t> steps{0};
  const std::size_t wanted = scaled(20);
  std::atomic<std::uint64_t> statements{0};
  std::vector<std::thread> threads;
  for (const std::string& name : names) {
    r.get_logger(name).add_handler(target);
    threads.emplace_back([&, lg = r.get_logger(name)] {
      std::uint64_t n = 0;
      for (; steps.load() < wanted; ++n) {
        FAULTLINE_INFO(lg, "record {}", n);
        std::this_thread::sleep_for(100us); // within what the flusher writes, whatever the machine does
      }
      statements.fetch_add(n);
    });
  }
  for (std::int64_t hour = 3600; steps.load() < wanted; hour = -hour) {
    shift_seconds.store(hour, std::memory_order_relaxed);
    const auto begin = steady_clock::now();
    REQUIRE(r.flush(10s)); // by a clock that does not step
    CHECK(steady_clock::now() - begin < 10s);
    std::this_thread::sleep_for(10ms);
    steps.fetch_add(1);
  }
  for (std::thread& t : threads) t.join();
  shift_seconds.store(0, std::memory_order_relaxed);
  REQUIRE(r.stop());
  CHECK(in_order(target->records(), names));
  CHECK(target->records().size() == statements.load());
  check_ledgers(r.stats(), statements.load());
}

TEST_CASE("records after a step of the wall clock show the new time") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target, .flusher = flusher_mode::manual});
  logger lg = r.get_logger("app");
  lg.add_handler(target);
  for (const std::int64_t hour : {0, 3600, 0, -3600, 0}) {
    shift_seconds.store(hour, std::memory_order_relaxed);
    (void)r.run_once(); // a round sees the step
    FAULTLINE_INFO(lg, "at another time");
    REQUIRE(r.flush());
    const auto difference = target->records().back().time - system_clock::now();
    CHECK(std::chrono::abs(difference) < 5s);
  }
}

TEST_CASE("the shift reaches the clocks, and a record out of order would be noticed") {
  const auto before = system_clock::now();
  shift_seconds.store(3600, std::memory_order_relaxed);
  CHECK(system_clock::now() - before >= 1h);
  shift_seconds.store(0, std::memory_order_relaxed);
  const auto record = [](const char* message) {
    stored_record r{};
    r.logger = "first";
    r.message = message;
    return r;
  };
  CHECK(in_order({record("record 0"), record("record 1")}, {"first"}));
  CHECK(!in_order({record("record 1"), record("record 0")}, {"first"}));
}

} // namespace faultline::stress
