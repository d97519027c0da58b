#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/gated_handler.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::strings;

TEST_CASE("flush returns when everything handed over or passed before it is written") {
  const auto target = make_memory_handler();
  runtime rt({.default_target = target});
  logger lg = rt.get_logger();
  lg.add_handler(target);
  for (int i = 0; i < 100; ++i) {
    FAULTLINE_INFO(lg, "{}", i);
    REQUIRE(rt.flush());
    REQUIRE(target->messages().size() == static_cast<std::size_t>(i) + 1);
  }
}

namespace {

/// Keeps records until somebody waits for them, or longer.
class hoarder final : public handler {
 public:
  explicit hoarder(bool to_the_end) : to_the_end_(to_the_end) {}
  void write(const batch& records) override { held += records.size(); }
  void flush_all() override {
    if (!to_the_end_) held = 0;
  }
  void last_flush(std::chrono::steady_clock::time_point /*until*/) override {
    ++finishes;
    held = 0;
  }
  [[nodiscard]] bool pending() const noexcept override { return held > 0; }

  std::size_t held = 0;
  std::size_t finishes = 0;

 private:
  const bool to_the_end_;
};

} // namespace

TEST_CASE("a handler that gathers puts all out when a flush waits for it, and not before") {
  const auto target = std::make_shared<hoarder>(false);
  faultline::test::manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(target);
  FAULTLINE_INFO(lg, "kept");
  (void)rt.get_runtime().run_once();
  (void)rt.get_runtime().run_once();
  CHECK(target->held == 1);
  CHECK(rt.get_runtime().flush());
  CHECK(target->held == 0);
  FAULTLINE_INFO(lg, "kept");
  CHECK(rt.get_runtime().stop());
  CHECK(target->held == 0);
  CHECK(target->finishes == 0); // nothing was left to finish
}

TEST_CASE("stop lets a handler finish that has something left, once") {
  for (const flusher_mode mode : {flusher_mode::manual, flusher_mode::thread}) {
    const auto target = std::make_shared<hoarder>(true);
    runtime rt({.default_target = make_null_handler(), .flusher = mode});
    logger lg = rt.get_logger();
    lg.add_handler(target);
    FAULTLINE_INFO(lg, "kept");
    CHECK_FALSE(rt.flush(std::chrono::milliseconds(5)));
    CHECK(rt.stop());
    CHECK(rt.stop());
    CHECK(target->held == 0);
    CHECK(target->finishes == 1);
  }
}

TEST_CASE("handlers share the time that stop has, and it ends in time whatever they take") {
  class greedy final : public handler {
   public:
    void write(const batch& records) override { held += records.size(); }
    void last_flush(std::chrono::steady_clock::time_point until) override {
      share = until;
      std::this_thread::sleep_until(until);
      report_dropped(std::exchange(held, 0));
    }
    [[nodiscard]] bool pending() const noexcept override { return held > 0; }

    std::size_t held = 0;
    std::chrono::steady_clock::time_point share;
  };
  using clock = std::chrono::steady_clock;
  for (const flusher_mode mode : {flusher_mode::manual, flusher_mode::thread}) {
    const auto first = std::make_shared<greedy>();
    const auto second = std::make_shared<greedy>();
    runtime rt({.default_target = make_null_handler(), .flusher = mode});
    logger lg = rt.get_logger();
    lg.add_handler(first);
    lg.add_handler(second);
    FAULTLINE_INFO(lg, "kept");
    const auto until = clock::now() + std::chrono::seconds(2);
    CHECK_FALSE(rt.stop(std::chrono::seconds(2)));
    CHECK(first->share < second->share);
    CHECK(second->share < until);
    CHECK(first->lost() + second->lost() == 2); // and who waited for stop can see it
    CHECK(rt.stats().handler_lost == 2);
  }
}

TEST_CASE("a handler that asks for its last flush when the time is over does not wait") {
  class noting final : public handler {
   public:
    void write(const batch&) override { held = true; }
    void last_flush(std::chrono::steady_clock::time_point until) override {
      was_late = until <= std::chrono::steady_clock::now();
      held = false;
    }
    [[nodiscard]] bool pending() const noexcept override { return held; }
    bool held = false;
    bool was_late = false;
  };
  const auto target = std::make_shared<noting>();
  faultline::test::manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(target);
  FAULTLINE_INFO(lg, "kept");
  (void)rt.get_runtime().stop(std::chrono::nanoseconds(0));
  CHECK(target->was_late);
}

TEST_CASE("flush does not write held records") {
  const auto target = make_memory_handler();
  runtime rt({.default_target = target});
  const logger lg = rt.get_logger();
  const error_scope scope(lg);
  FAULTLINE_DEBUG(lg, "held");
  CHECK(rt.flush());
  CHECK(target->messages().empty());
}

TEST_CASE("flush gives up at its deadline while a handler hangs, and succeeds afterwards") {
  std::atomic<bool> hang{true};
  runtime rt({.default_target = make_callback_handler([&](const batch&) {
                while (hang) std::this_thread::yield();
              })});
  const logger lg = rt.get_logger();
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK_FALSE(rt.flush(std::chrono::milliseconds(5)));
  CHECK_FALSE(rt.stop(std::chrono::milliseconds(5)));
  hang = false;
  CHECK(rt.stop());
  CHECK(closes(rt.stats()));
}

namespace {

/// Never gets rid of what it was given, and counts how it is asked to.
class hopeless final : public handler {
 public:
  void write(const batch&) override { has_records = true; }
  void flush() override { ++flushes; }
  void flush_all() override { ++flushes_for_somebody; }
  [[nodiscard]] bool pending() const noexcept override { return has_records; }

  std::atomic<bool> has_records{false};
  std::atomic<std::size_t> flushes{0};
  std::atomic<std::size_t> flushes_for_somebody{0};
};

} // namespace

TEST_CASE("once the deadline of a flush has passed nobody waits, and handlers gather as before") {
  const auto target = std::make_shared<hopeless>();
  runtime rt({.default_target = make_null_handler()});
  logger lg = rt.get_logger();
  lg.add_handler(target);
  FAULTLINE_INFO(lg, "kept");
  CHECK_FALSE(rt.flush(std::chrono::milliseconds(5)));
  CHECK(target->flushes_for_somebody > 0);
  const std::size_t before = target->flushes;
  CHECK(faultline::test::within(std::chrono::seconds(5),
                                [&] { return target->flushes > before; })); // in rounds that nobody waits for
  const std::size_t then = target->flushes_for_somebody;
  CHECK_FALSE(rt.flush(std::chrono::milliseconds(5)));
  CHECK(target->flushes_for_somebody > then);
  target->has_records = false;
  CHECK(rt.flush());
}

TEST_CASE("flush and stop on the flusher's own thread return false instead of waiting for themselves") {
  std::atomic<int> results{0};
  runtime* self = nullptr;
  runtime rt({.default_target = make_callback_handler(
                  [&](const batch&) { results = (self->flush() ? 1 : 0) + (self->stop() ? 2 : 0) + 100; })});
  self = &rt;
  const logger lg = rt.get_logger();
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.flush());
  CHECK(results == 100);
}

TEST_CASE("flush on a runtime that nobody logged to has nothing to wait for") {
  runtime rt;
  CHECK(rt.flush());
  CHECK(rt.stop());
  CHECK(rt.stop());
  CHECK_FALSE(rt.flush());
}

TEST_CASE("after stop held records go on being forgotten, trips and passes are counted") {
  const auto target = make_memory_handler();
  runtime rt({.default_target = target});
  logger lg = rt.get_logger();
  lg.add_handler(target);
  FAULTLINE_INFO(lg, "before");
  CHECK(rt.stop());
  CHECK(rt.stop());
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "held");
    FAULTLINE_ERROR(lg, "error");
  }
  FAULTLINE_INFO(lg, "after");
  CHECK(target->messages() == strings{"before"});
  CHECK(rt.stats().after_stop >= 2);
  CHECK(rt.stats().lost >= 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an attached thread that never logged costs nothing at stop") {
  runtime rt({.default_target = make_null_handler()});
  std::thread([&] { rt.attach_thread(); }).join();
  rt.attach_thread();
  CHECK(rt.stats().threads == 1);
  CHECK(rt.stats().thread_memory_bytes > 0);
  CHECK(rt.stop());
}

TEST_CASE("a spinning flusher writes at once and ends when it is stopped") {
  const auto target = make_memory_handler();
  runtime rt({.default_target = target, .flusher = flusher_mode::spinning});
  const logger lg = rt.get_logger();
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "error");
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (target->messages().empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(target->messages() == strings{"error"});
  const std::uint64_t before = rt.stats().rounds;
  while (rt.stats().rounds < before + 1000 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  CHECK(rt.stats().rounds >= before + 1000); // it does not rest though nothing happens
  CHECK(rt.stop());
}

TEST_CASE("with the policy block, threads wait for room in their outbox and nothing is dropped") {
  const auto target = make_memory_handler();
  runtime rt({.default_target = target, .outbox_bytes = 4096, .on_outbox_full = outbox_policy::block});
  logger lg = rt.get_logger();
  lg.add_handler(target);
  constexpr int each = 5000; // many times what an outbox holds
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&lg, t] {
      for (int i = 0; i < each; ++i) FAULTLINE_INFO(lg, "{} {}", t, i);
    });
  for (std::thread& t : threads) t.join();
  REQUIRE(rt.flush());
  CHECK(target->messages().size() == 2 * each);
  CHECK(rt.stats().outbox_full == 0);
  CHECK(closes(rt.stats()));
}

namespace {

/// A runtime whose one handler hangs, and a thread that waits for room in its outbox.
class waiting_for_room {
 public:
  waiting_for_room() {
    lg_.add_handler(make_callback_handler([this](const batch&) {
      while (hangs) std::this_thread::yield();
    }));
    thread_ = std::thread([this] {
      for (std::uint64_t i = 0; i < statements; ++i) FAULTLINE_INFO(lg_, "{}", i);
      over = true;
    });
    while (rt.stats().taken == 0) std::this_thread::yield();
  }
  void join() { thread_.join(); }

  static constexpr std::uint64_t statements = 1000;
  std::atomic<bool> hangs{true};
  std::atomic<bool> over{false};
  runtime rt{{.outbox_bytes = 4096, .on_outbox_full = outbox_policy::block}};

 private:
  logger lg_ = rt.get_logger();
  std::thread thread_;
};

} // namespace

TEST_CASE("stop releases a thread that waits for room") {
  waiting_for_room waiting;
  CHECK_FALSE(waiting.over);
  std::thread stopping([&] { (void)waiting.rt.stop(); });
  waiting.hangs = false;
  stopping.join();
  waiting.join(); // it did not wait for ever: what came after stop is counted
  const runtime_stats s = waiting.rt.stats();
  CHECK(s.logged == waiting_for_room::statements);
  // A record may be in flight since stop's last round.
  CHECK(s.logged == s.passed_only + s.lost + s.discarded);
}

TEST_CASE("a stop that misses its deadline releases a thread that waits for room") {
  waiting_for_room waiting;
  CHECK_FALSE(waiting.over);
  CHECK_FALSE(waiting.rt.stop(std::chrono::milliseconds(10)));
  waiting.join(); // although the handler hangs
  CHECK(waiting.rt.stats().after_stop > 0);
  waiting.hangs = false;
}

TEST_CASE("with the policy block an error whose context was refused waits, too, and is written") {
  const auto target = make_memory_handler();
  constexpr int errors = 3000;
  runtime rt({.default_target = target,
              .buffers_per_thread = 2,
              .outbox_bytes = 4096,
              .storm_dumps_per_second = 0,
              .on_outbox_full = outbox_policy::block});
  const logger lg = rt.get_logger();
  for (int i = 0; i < errors; ++i) {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "{}", i);
  }
  REQUIRE(rt.flush());
  CHECK(faultline::test::messages_of(*target).size() == errors);
  CHECK(rt.stats().outbox_full == 0);
}

TEST_CASE("stop says so when a handler still has something left") {
  for (const flusher_mode mode : {flusher_mode::manual, flusher_mode::thread}) {
    runtime rt({.default_target = make_null_handler(), .flusher = mode});
    logger lg = rt.get_logger();
    lg.add_handler(std::make_shared<hopeless>());
    FAULTLINE_INFO(lg, "kept for ever");
    CHECK_FALSE(rt.stop(std::chrono::seconds(10)));
  }
}

TEST_CASE("a stop asks a handler that keeps its text no longer than it was given") {
  class patient final : public handler {
   public:
    void write(const batch&) override {}
    void flush_all() override { ++asked; }
    [[nodiscard]] bool pending() const noexcept override { return true; }
    int asked = 0;
  };
  const auto times_in = [](std::chrono::milliseconds deadline) {
    const auto target = std::make_shared<patient>();
    runtime rt({.default_target = make_null_handler(), .flusher = flusher_mode::manual});
    rt.get_logger().add_handler(target);
    FAULTLINE_INFO(rt.get_logger(), "kept for ever");
    CHECK_FALSE(rt.stop(deadline));
    return target->asked;
  };
  CHECK(times_in(std::chrono::milliseconds(0)) ==
        3); // in the round that writes, the next one, and at the end
  CHECK(times_in(std::chrono::seconds(10)) > 3);
}

TEST_CASE("in manual mode flush and stop give up at their deadline while another thread is in a round") {
  const auto target = std::make_shared<faultline::test::gated_handler>();
  runtime rt({.default_target = target, .flusher = flusher_mode::manual});
  {
    const error_scope scope(rt.get_logger());
    FAULTLINE_ERROR(rt.get_logger(), "hangs");
  }
  std::thread writing([&] { rt.run_once(); });
  target->wait_for_one_that_hangs();
  CHECK_FALSE(rt.flush(std::chrono::milliseconds(10)));
  CHECK_FALSE(rt.stop(std::chrono::milliseconds(10)));
  target->open();
  writing.join();
  CHECK(rt.stop());
  CHECK(target->messages() == strings{"hangs"});
}
