// The end of a runtime, and what is asked of it from the wrong place.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <faultline/faultline.hpp>

#include "ledgers.hpp"
#include "support/catch.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;

/// How long several threads take to stop one runtime at the same moment; all must be told the same.
std::chrono::steady_clock::duration stop_together(runtime& r) {
  constexpr std::size_t callers = 8;
  std::atomic<std::size_t> ready{0};
  std::atomic<std::size_t> good{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < callers; ++i)
    threads.emplace_back([&] {
      ready.fetch_add(1);
      while (ready.load() < callers) std::this_thread::yield();
      if (r.stop(30s)) good.fetch_add(1);
    });
  for (std::thread& t : threads) t.join();
  CHECK(good == callers);
  return std::chrono::steady_clock::now() - start;
}

void fail_once(const logger& lg) {
  const error_scope scope(lg);
  FAULTLINE_DEBUG(lg, "held");
  FAULTLINE_ERROR(lg, "failed");
}

} // namespace

TEST_CASE("many threads stop one runtime at once, and each returns when everything is written") {
  for (int i = 0; i < 20; ++i) {
    const auto target = make_memory_handler();
    runtime r({.default_target = target});
    fail_once(r.get_logger());
    CHECK(stop_together(r) < 20s);
    CHECK(target->messages().size() == 2);
    CHECK(r.stop());
    check_ledgers(r.stats(), 2);
  }
}

TEST_CASE("many threads stop one runtime without a flusher thread at once") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target, .flusher = flusher_mode::manual});
  fail_once(r.get_logger());
  CHECK(stop_together(r) < 20s);
  CHECK(target->messages().size() == 2);
}

TEST_CASE("after stop held records are forgotten, and trips and passes are counted") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target});
  const logger lg = r.get_logger("late");
  logger root = r.get_logger();
  root.add_handler(target);
  target->set_level(level::warning);
  fail_once(lg);
  REQUIRE(r.stop());
  const std::size_t before = target->messages().size();
  { // held and forgotten
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "held after stop");
  }
  fail_once(lg);                              // trips
  FAULTLINE_WARNING(lg, "passes");            // passes
  std::thread([&] { fail_once(lg); }).join(); // on a thread that attaches after stop
  CHECK(target->messages().size() == before);
  CHECK_FALSE(r.flush(1s));
  const runtime_stats s = r.stats();
  CHECK(s.after_stop == 3);
  check_ledgers(s, 8);
}

TEST_CASE("threads that log while the runtime stops lose nothing that is not counted") {
  for (int i = 0; i < 50; ++i) {
    std::atomic<std::uint64_t> received{0};
    std::atomic<std::uint64_t> statements{0};
    std::atomic<bool> over{false};
    runtime r({.default_target = make_callback_handler([&](const batch& b) {
                 for (const record_view& each : b) received += each.logger != "faultline" ? 1 : 0;
               }),
               .busy_interval = 0s,
               .storm_dumps_per_second = 0});
    const logger lg = r.get_logger();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        while (!over.load()) {
          fail_once(lg);
          statements += 2;
        }
      });
    while (r.stats().written < 20) std::this_thread::yield();
    CHECK(r.stop());
    over = true;
    for (std::thread& t : threads) t.join();
    const runtime_stats s = r.stats();
    CHECK(s.logged == statements);
    CHECK(s.logged == s.handed_over + s.passed_only + s.discarded + s.lost);
    CHECK(s.taken == s.written + s.suppressed + s.skipped + s.flusher_lost);
    CHECK(received == s.written);
  }
}

TEST_CASE("a handler that asks to flush or to stop is refused") {
  runtime* asked = nullptr;
  std::atomic<int> flushes{-1};
  std::atomic<int> stops{-1};
  runtime r({.default_target = make_callback_handler([&](const batch&) {
               flushes = asked->flush(1s) ? 1 : 0;
               stops = asked->stop(1s) ? 1 : 0;
             })});
  asked = &r;
  fail_once(r.get_logger());
  REQUIRE(r.flush());
  CHECK(flushes == 0);
  CHECK(stops == 0);
  fail_once(r.get_logger());
  CHECK(r.flush()); // it was not stopped
}

TEST_CASE("a handler that logs is counted and calls itself no second time") {
  std::atomic<std::uint64_t> calls{0};
  logger* own = nullptr;
  runtime r({.default_target = make_callback_handler([&](const batch&) {
               ++calls;
               fail_once(*own);
             })});
  logger lg = r.get_logger("own");
  own = &lg;
  fail_once(lg);
  REQUIRE(r.flush());
  REQUIRE(r.flush());
  CHECK(calls == 1);
  const runtime_stats s = r.stats();
  CHECK(s.lost == 2);
  CHECK(s.scopes_refused == 1);
  check_ledgers(s, 4);
}

} // namespace faultline::stress
