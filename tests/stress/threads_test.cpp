// Threads that come and go, scopes on the wrong thread, runtimes side by side, and the end of a runtime.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <faultline/faultline.hpp>

#include "ledgers.hpp"
#include "scale.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t crew = 4;

/// So many threads are attached at once.
void reach_peak(runtime& r, std::size_t count) {
  std::atomic<std::size_t> attached{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i)
    threads.emplace_back([&] {
      r.attach_thread();
      attached.fetch_add(1);
      while (attached.load() < count) std::this_thread::yield();
    });
  for (std::thread& t : threads) t.join();
}

/// The whole life of one short thread: a scope that succeeds, every tenth time one that fails.
void short_life(const logger& lg, std::size_t number) {
  const error_scope scope(lg);
  FAULTLINE_DEBUG(lg, "step one of {}", number);
  FAULTLINE_DEBUG(lg, "step two of {}", number);
  if (number % 10 == 0) FAULTLINE_ERROR(lg, "failure {}", number);
}

} // namespace

TEST_CASE("the memory of threads that come and go follows the peak of live ones, and nothing is lost") {
  const auto target = make_memory_handler();
  // Room for the errors of a flusher that gets no processor for a second.
  runtime r({.default_target = target, .outbox_bytes = 4U << 20, .storm_dumps_per_second = 0});
  const logger lg = r.get_logger("churn");
  reach_peak(r, crew);
  const std::uint64_t peak_bytes = r.stats().thread_memory_bytes;

  const std::size_t lives = scaled(10'000) / crew * crew;
  for (std::size_t first = 0; first < lives; first += crew) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < crew; ++i)
      threads.emplace_back([&, number = first + i] { short_life(lg, number); });
    for (std::thread& t : threads) t.join();
  }
  const std::size_t failures = (lives + 9) / 10;
  REQUIRE(r.flush(60s));
  const runtime_stats s = r.stats();
  CHECK(s.thread_memory_bytes == peak_bytes);
  CHECK(s.threads == 0);
  CHECK(s.outbox_full == 0); // so that each error has to be there
  check_ledgers(s, 2 * lives + failures);
  std::vector<bool> seen(lives);
  for (const stored_record& record : target->records())
    if (record.level == level::error) seen.at(std::stoul(record.message.substr(8))) = true;
  for (std::size_t i = 0; i < lives; i += 10) CHECK(seen[i]);
}

TEST_CASE("memory that follows the number of threads would be noticed") {
  runtime r({.default_target = make_null_handler()});
  reach_peak(r, crew);
  const std::uint64_t peak_bytes = r.stats().thread_memory_bytes;
  reach_peak(r, crew + 1);
  CHECK(r.stats().thread_memory_bytes > peak_bytes);
}

TEST_CASE("a thread that holds a thousand times more makes no more memory") {
  runtime r({.default_target = make_null_handler()});
  const logger lg = r.get_logger();
  r.attach_thread();
  const std::uint64_t before = r.stats().thread_memory_bytes;
  const error_scope scope(lg, {.capacity = 1'000'000});
  for (int i = 0; i < 1'000'000; ++i) FAULTLINE_DEBUG(lg, "step {}", i);
  CHECK(r.stats().thread_memory_bytes == before);
}

TEST_CASE("two runtimes are used in turn on one thread, and neither sees the other's records") {
  const auto first_target = make_memory_handler();
  const auto second_target = make_memory_handler();
  runtime first({.default_target = first_target, .busy_interval = 0s, .storm_dumps_per_second = 0});
  runtime second({.default_target = second_target, .busy_interval = 0s, .storm_dumps_per_second = 0});
  const logger a = first.get_logger("a");
  const logger b = second.get_logger("b");
  constexpr int rounds = 200;
  for (int i = 0; i < rounds; ++i) {
    const error_scope outer(a);
    FAULTLINE_DEBUG(a, "first {} before", i);
    {
      const error_scope inner(b);
      FAULTLINE_DEBUG(b, "second {}", i);
      FAULTLINE_DEBUG(a, "first {} between", i);
      FAULTLINE_ERROR(b, "second {} failed", i);
    }
    FAULTLINE_ERROR(a, "first {} failed", i);
    REQUIRE(first.flush());
    REQUIRE(second.flush());
  }
  check_ledgers(first.stats(), 3 * rounds);
  check_ledgers(second.stats(), 2 * rounds);
  REQUIRE(first_target->messages().size() == 3 * rounds);
  REQUIRE(second_target->messages().size() == 2 * rounds);
  CHECK(first_target->messages()[1] == "first 0 between");
  CHECK(second_target->messages()[1] == "second 0 failed");
}

TEST_CASE("a target that had another runtime before lives as long as the present one") {
  std::atomic<std::size_t> records{0};
  auto second = std::make_unique<runtime>(
      runtime_options{.default_target = make_null_handler(), .flusher = flusher_mode::manual});
  const logger b = second->get_logger("b");
  std::weak_ptr<handler> watched;
  {
    const handler_ptr target =
        make_callback_handler([&records](const batch& all) { records.fetch_add(all.size()); });
    watched = target;
    { const runtime first({.default_target = target}); }
    const error_scope scope(b, {.target = target});
    FAULTLINE_ERROR(b, "failed when the first runtime was gone");
  }
  const bool gone = watched.expired();
  CHECK_FALSE(gone);
  if (gone) {
    (void)second.release(); // it would write to a handler that is not there any more
    return;
  }
  REQUIRE(second->run_once());
  CHECK(records == 1);
}

TEST_CASE("a record is at a scope's target once, though that comes and goes as a handler all the time") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target, .storm_dumps_per_second = 0});
  logger lg = r.get_logger("app");
  lg.add_handler(make_null_handler()); // each record is passed, and held
  std::size_t logged = 0;
  for (std::size_t n = scaled(600); n > 0; --n) {
    std::atomic<bool> begun{false};
    std::atomic<bool> over{false};
    std::thread thread([&] {
      for (int i = 0; i < 100 && !over.load(); ++i) { // as many as there are buffers for
        error_scope scope(lg);
        for (int j = 0; j < 5; ++j) FAULTLINE_INFO(lg, "{}", logged++);
        scope.trip("asked");
        begun.store(true);
      }
    });
    while (!begun.load()) std::this_thread::yield();
    for (int i = 0; i < 30; ++i) { // as many stays as are remembered, and less
      lg.add_handler(target);
      lg.remove_handler(target);
    }
    over = true;
    thread.join();
    REQUIRE(r.flush());
  }
  REQUIRE(r.stop());
  REQUIRE(r.stats().lost == 0);
  std::vector<int> seen(logged, 0);
  for (const stored_record& record : target->records()) ++seen.at(std::stoul(record.message));
  CHECK(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(logged));
  check_ledgers(r.stats(), logged);
}

TEST_CASE("a scope that ends on another thread is counted and abandoned") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target});
  const logger lg = r.get_logger("strayed");
  auto strayed = std::make_unique<error_scope>(lg);
  FAULTLINE_DEBUG(lg, "held by the scope that strays");
  std::thread([&] { strayed.reset(); }).join();
  {
    const error_scope next(lg);
    FAULTLINE_DEBUG(lg, "held by the next");
    FAULTLINE_ERROR(lg, "failed");
  }
  REQUIRE(r.flush());
  CHECK(test::messages_of(*target) == std::vector<std::string>{"held by the next", "failed"});
  CHECK(r.stats().scopes_abandoned == 1);
  check_ledgers(r.stats(), 3);
}

TEST_CASE("scopes that end out of order are counted, and the table is sound afterwards") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target});
  const logger lg = r.get_logger("crossed");
  auto outer = std::make_unique<error_scope>(lg, scope_options{.name = "outer"});
  auto inner = std::make_unique<error_scope>(lg, scope_options{.name = "inner"});
  FAULTLINE_DEBUG(lg, "held by both");
  outer.reset(); // takes the inner one with it
  CHECK(r.stats().scopes_abandoned == 1);
  inner->trip("too late");
  inner.reset();
  {
    const error_scope next(lg, {.name = "next"});
    FAULTLINE_ERROR(lg, "failed");
  }
  REQUIRE(r.flush());
  CHECK(test::messages_of(*target) == std::vector<std::string>{"failed"});
  CHECK(r.stats().scopes_abandoned == 1);
  check_ledgers(r.stats(), 2);
}

TEST_CASE("a thread that ends inside a scope discards what the scope held") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target});
  const logger lg = r.get_logger("cut short");
  constexpr std::uint64_t times = 5;
  for (std::uint64_t ended = 1; ended <= times; ++ended) {
    std::unique_ptr<error_scope> left_over;
    std::thread([&] {
      left_over = std::make_unique<error_scope>(lg);
      FAULTLINE_DEBUG(lg, "held at the thread's end");
    }).join();
    CHECK(r.stats().scopes_abandoned == ended);
    std::thread([&] {
      const error_scope next(lg);
      left_over.reset(); // belongs to a thread that is gone, whose slot this thread has now
      FAULTLINE_ERROR(lg, "failed");
    }).join();
    CHECK(r.stats().scopes_abandoned == ended);
  }
  REQUIRE(r.flush());
  CHECK(test::messages_of(*target) == std::vector<std::string>(times, "failed"));
  check_ledgers(r.stats(), 2 * times);
}

} // namespace faultline::stress
