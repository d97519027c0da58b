#include "handlers/background_handler.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <faultline/configuration_error.hpp>

#include "stress/child.hpp"
#include "support/catch.hpp"
#include "support/gated_handler.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/thread_sanitizer.hpp"
#include "support/watched_handler.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::closes;
using test::contains;
using test::gated_handler;
using test::numbered_records;
using test::open_gate;
using test::strings;
using test::watched_handler;

namespace {

/// For tests that are over when the inner handler has finished, however loaded the machine is.
constexpr background_options patient{.finish_limit = 60s};
constexpr background_options small{.spool_bytes = 4096, .finish_limit = 60s};

} // namespace

TEST_CASE(
    "a background handler writes all in order, each batch and dump as one write, on one thread of its own") {
  const auto inner = make_memory_handler();
  const auto watched = open_gate();
  const numbered_records records(300);
  dump_envelope d;
  d.id = 17;
  for (const handler_ptr& each : std::vector<handler_ptr>{inner, watched}) {
    const handler_ptr h = make_background_handler(each, patient);
    for (std::size_t i = 0; i < 100; ++i) h->write(records.one(i));
    h->write(records.all(&d));
    h->last_flush(test::in_time());
    CHECK_FALSE(h->pending());
    CHECK(h->lost() == 0);
  }
  CHECK(inner->writes() == 101);
  REQUIRE(inner->messages().size() == 400);
  CHECK(inner->messages()[99] == "record 99.");
  CHECK(inner->messages()[100] == "record 0");
  REQUIRE(inner->dumps().size() == 1);
  CHECK(inner->dumps()[0].id == 17);
  CHECK(inner->messages() == watched->messages());
  CHECK(watched->thread() != std::this_thread::get_id());
  CHECK_FALSE(watched->was_crowded());
}

TEST_CASE("records reach the inner handler whole although the caller uses its memory again") {
  const auto inner = open_gate();
  const handler_ptr h = make_background_handler(inner, patient);
  inner->close();
  for (int i = 0; i < 10; ++i) {
    const numbered_records records(3, static_cast<std::size_t>(i));
    h->write(records.all());
  }
  h->flush();
  inner->open();
  h->last_flush(test::in_time());
  REQUIRE(inner->messages().size() == 30);
  for (std::size_t i = 0; i < 30; ++i)
    CHECK_THAT(inner->messages()[i], contains("record " + std::to_string(i / 3 + i % 3)));
}

namespace {

/// Four threads that log, a handler that hangs, and one that must not be the worse for it.
struct shop {
  static constexpr std::size_t threads = 4;
  static constexpr std::size_t each = 5000;
  static constexpr std::size_t all = threads * each;

  /// Nothing is dropped for want of room: a flusher that hangs shows as threads that hang.
  explicit shop(outbox_policy when_full)
      : rt({.default_target = make_null_handler(), .outbox_bytes = 32U << 10, .on_outbox_full = when_full}) {}

  void log() {
    std::vector<std::thread> logging;
    for (std::size_t t = 0; t < threads; ++t)
      logging.emplace_back([this] {
        const logger lg = rt.get_logger("shop");
        for (std::size_t i = 0; i < each; ++i) FAULTLINE_INFO(lg, "order {}", i);
      });
    for (std::thread& t : logging) t.join();
  }

  runtime rt;
  const std::shared_ptr<gated_handler> hanging = std::make_shared<gated_handler>();
  const std::shared_ptr<memory_handler> good = make_memory_handler();
};

} // namespace

TEST_CASE(
    "while a background handler's inner one hangs the others receive all, and no thread that logs waits") {
  shop s(outbox_policy::block);
  const handler_ptr h = make_background_handler(s.hanging, {.spool_bytes = 256U << 10, .finish_limit = 60s});
  logger root = s.rt.get_logger();
  root.add_handler(test::without_losses(h)); // it comes first
  root.add_handler(s.good);
  s.log(); // returns: with this policy a flusher that hangs would keep the threads in it
  CHECK_FALSE(s.rt.flush(100ms)); // false for the one that hangs; the good one is flushed all the same
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (s.good->records().size() < shop::all && std::chrono::steady_clock::now() < until)
    (void)s.rt.flush(100ms);
  CHECK(s.good->records().size() == shop::all);
  CHECK(s.hanging->messages().empty());
  const runtime_stats before = s.rt.stats();
  CHECK(before.logged == shop::all);
  CHECK(before.lost == 0);
  CHECK(before.outbox_full == 0);
  CHECK(closes(before));

  s.hanging->open();
  CHECK(s.rt.flush(60s));
  CHECK(h->lost() > 0); // the spool was made for less
  CHECK(s.hanging->messages().size() + h->lost() == shop::all);
  CHECK(s.rt.stats().handler_lost == h->lost());
  CHECK_FALSE(s.hanging->was_crowded());
}

TEST_CASE("without a background handler one that hangs does hold up the others") { // or the test above shows
                                                                                   // nothing
  shop s(outbox_policy::drop);
  logger root = s.rt.get_logger();
  root.add_handler(s.hanging);
  root.add_handler(s.good);
  s.log();
  CHECK_FALSE(s.rt.flush(10ms));
  CHECK(s.good->records().empty());
  CHECK(s.rt.stats().outbox_full > 0);
  s.hanging->open();
  CHECK(s.rt.flush(60s));
}

TEST_CASE("whatever the inner handler throws costs its own batch, which is counted, and is reported") {
  struct nothing_known {};
  const std::vector<std::function<void()>> throwing = {[] { throw 42; }, [] { throw std::string("text"); },
                                                       [] { throw nothing_known(); }, [] { throw 2.5; },
                                                       [] { throw std::runtime_error("no connection"); }};
  std::atomic<std::size_t> at{0};
  strings reports;
  std::mutex reports_mutex;
  const auto inner = open_gate();
  inner->behind_gate = [&] {
    const std::size_t n = at++;
    if (n < throwing.size()) throwing[n]();
  };
  runtime rt({.default_target = make_null_handler(), .on_error = [&](const error_report& r) {
                const std::lock_guard held(reports_mutex);
                reports.push_back(std::string(r.kind) + ": " + std::string(r.detail));
              }});
  logger lg = rt.get_logger();
  const auto good = make_memory_handler();
  lg.add_handler(test::without_losses(make_background_handler(inner, patient)));
  lg.add_handler(good);
  for (std::size_t i = 0; i < throwing.size() + 3; ++i) {
    FAULTLINE_INFO(lg, "record {}", i);
    CHECK(rt.flush(60s));
  }
  CHECK(good->messages().size() == throwing.size() + 3);
  CHECK(inner->messages() == strings{"record 5", "record 6", "record 7"});
  CHECK(rt.stats().handler_lost == throwing.size());
  CHECK(rt.stats().handler_errors == throwing.size());
  CHECK(closes(rt.stats()));
  const std::lock_guard held(reports_mutex);
  REQUIRE_FALSE(reports.empty());
  CHECK_THAT(reports[0], contains("no std::exception"));
}

TEST_CASE("what the inner handler takes and loses counts as lost, beside what it throws") {
  const auto inner = std::make_shared<watched_handler>();
  inner->loses_old = 2;
  const handler_ptr h = make_background_handler(inner, patient);
  h->write(numbered_records(3).all());
  h->last_flush(test::in_time());
  CHECK(h->lost() == 2);
  inner->throws = true;
  h->write(numbered_records(3).all());
  CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("write failed (and 1 more)")); // of the flush
  CHECK(h->lost() == 5);
  CHECK_FALSE(h->pending());
}

TEST_CASE("a full spool keeps the oldest and counts what it refuses to the record, and says so once") {
  const auto inner = std::make_shared<gated_handler>();
  const handler_ptr h = make_background_handler(inner, small);
  const numbered_records records(1000);
  h->write(records.one(0));
  h->flush();
  inner->wait_for_one_that_hangs();
  std::size_t kept = 1;
  std::size_t reports = 0;
  for (std::size_t i = 1; i < 1000; ++i) {
    const std::uint64_t before = h->lost();
    h->write(records.one(i));
    if (h->lost() == before) ++kept;
    try {
      h->flush();
    } catch (const std::runtime_error& e) {
      CHECK_THAT(e.what(), contains("spool_bytes"));
      ++reports;
    }
  }
  CHECK(kept > 2);
  CHECK(kept <= 4096 / sizeof(record_view));
  CHECK(h->lost() == 1000 - kept);
  CHECK(reports == 1);
  inner->open();
  h->last_flush(test::in_time());
  REQUIRE(inner->messages().size() == kept);
  CHECK(inner->messages().back() == "record " + std::to_string(kept - 1) + std::string((kept - 1) % 7, '.'));
  CHECK(h->lost() == 1000 - kept);
}

TEST_CASE("an empty spool takes a batch of any size, and a batch in work counts against the bound") {
  const auto inner = std::make_shared<gated_handler>();
  const handler_ptr h = make_background_handler(inner, small);
  const numbered_records records(500);
  h->write(records.all());
  h->flush();
  inner->wait_for_one_that_hangs();
  h->write(records.one(0));
  CHECK(h->lost() == 1);
  inner->open();
  CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("spool_bytes"));
  CHECK_FALSE(h->pending());
  CHECK(inner->messages().size() == 500);
}

TEST_CASE("flush waits until the inner handler has written what came before, and gives up at its deadline") {
  const auto inner = std::make_shared<gated_handler>();
  runtime rt({.default_target = make_background_handler(inner, patient)});
  const logger lg = rt.get_logger();
  for (int i = 0; i < 20; ++i) {
    inner->close();
    {
      const error_scope scope(lg);
      FAULTLINE_ERROR(lg, "{}", i);
    }
    CHECK_FALSE(rt.flush(1ms));
    std::thread opening([&] {
      inner->wait_for_one_that_hangs();
      inner->open();
    });
    REQUIRE(rt.flush(60s));
    CHECK(inner->messages().size() == static_cast<std::size_t>(i) + 1);
    opening.join();
  }
  CHECK(rt.stop());
}

namespace {

/// Gathers until somebody waits; then takes some flushes more to get rid of it.
class slow_gatherer final : public handler {
 public:
  void write(const batch& records) override { held += records.size(); }
  void flush() override { ++flushes; }
  void flush_all() override {
    if (++flushes_for_somebody >= 3) held = 0;
  }
  void last_flush(std::chrono::steady_clock::time_point /*until*/) override {
    ++finishes;
    held = 0;
  }
  void reopen() override {
    ++reopens;
    if (fails_to_reopen) throw std::runtime_error("no such folder");
  }
  [[nodiscard]] bool pending() const noexcept override { return held > 0; }

  std::atomic<std::size_t> held{0};
  std::atomic<int> flushes{0};
  std::atomic<int> flushes_for_somebody{0};
  std::atomic<int> finishes{0};
  std::atomic<int> reopens{0};
  std::atomic<bool> fails_to_reopen{false};
};

} // namespace

TEST_CASE("an inner handler that gathers is flushed again and again, and puts all out when somebody waits") {
  const auto inner = std::make_shared<slow_gatherer>();
  const handler_ptr h = make_background_handler(inner, patient);
  h->write(numbered_records(1).all());
  h->flush();
  while (inner->flushes < 5) std::this_thread::yield(); // it ends when the thread flushes by itself
  CHECK(h->pending());
  CHECK(inner->flushes_for_somebody == 0);
  while (h->pending()) h->flush_all(); // as the flusher's rounds do
  CHECK(inner->flushes_for_somebody >= 3);
  CHECK(inner->finishes == 0);
  CHECK(inner->held == 0);
}

TEST_CASE("at the end an inner handler that is pending still finishes, on the thread that writes") {
  const auto inner = std::make_shared<slow_gatherer>();
  const handler_ptr h = make_background_handler(inner, patient);
  h->write(numbered_records(1).all());
  h->last_flush(test::in_time());
  CHECK(inner->finishes == 1);
  CHECK_FALSE(h->pending());
  h->write(numbered_records(1).all()); // the handler may be used again
  h->last_flush(test::in_time());
  CHECK(inner->finishes == 2);
}

TEST_CASE("reopen and formatters reach the inner handler, and a reopen that fails is reported") {
  const auto inner = std::make_shared<slow_gatherer>();
  const handler_ptr h = make_background_handler(inner, patient);
  h->reopen();
  while (inner->reopens == 0) std::this_thread::yield();
  const auto kept = make_memory_handler();
  const handler_ptr with_format = make_background_handler(kept, patient);
  with_format->set_formatter(make_text_formatter("<{message}>"));
  with_format->write(numbered_records(1).all());
  with_format->last_flush(test::in_time());
  CHECK(kept->text() == "<record 0>\n");
  inner->fails_to_reopen = true;
  h->reopen();
  CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("no such folder"));
  CHECK(inner->reopens == 2);
}

TEST_CASE(
    "what the inner handler logs is counted and not written, and its flush of the runtime returns false") {
  const auto inner = open_gate();
  const auto other = make_memory_handler();
  runtime rt({.default_target = make_null_handler()});
  std::atomic<int> flushed{0};
  inner->behind_gate = [&] {
    FAULTLINE_ERROR(rt.get_logger("inner"), "from a handler");
    flushed += rt.flush(60s) ? 1 : 0;
  };
  rt.get_logger("inner").add_handler(other);
  rt.get_logger("shop").add_handler(make_background_handler(inner, patient));
  FAULTLINE_INFO(rt.get_logger("shop"), "one");
  CHECK(rt.flush(60s));
  CHECK(other->messages().empty());
  CHECK(inner->messages() == strings{"one"});
  CHECK(flushed == 0);
  CHECK(rt.stats().logged == 2);
  CHECK(rt.stats().lost == 1);
  CHECK(closes(rt.stats()));
}

#ifndef FAULTLINE_TEST_TSAN // it lets no child of a program with threads start one of its own
TEST_CASE("a child begins with an empty spool and a thread of its own, and the parent writes what is the "
          "parent's") {
  const auto inner = std::make_shared<gated_handler>();
  const auto target = make_background_handler(inner, patient);
  runtime rt({.default_target = target});
  const logger lg = rt.get_logger();
  const auto fail = [&](const char* what) {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "{}", what);
  };
  fail("first");
  (void)rt.flush(1ms);
  inner->wait_for_one_that_hangs();
  fail("second");
  (void)rt.flush(1ms);
  const int status = stress::in_child([&] {
    fail("of the child");
    if (!rt.flush(30s)) return 1;
    if (inner->messages() != strings{"of the child"}) return 2;
    return rt.stop(30s) ? 0 : 3;
  });
  CHECK(status == 0);
  CHECK(stress::in_child([] { return 0; }) == 0);
  inner->open();
  CHECK(rt.flush(60s));
  CHECK(inner->messages() == strings{"first", "second"});
  CHECK_FALSE(inner->was_crowded());
}

TEST_CASE("a child that destroys its copy without having logged does not wait for the parent's thread") {
  const auto inner = std::make_shared<gated_handler>();
  handler_ptr h = make_background_handler(inner, patient);
  h->write(numbered_records(1).all());
  h->flush();
  inner->wait_for_one_that_hangs();
  CHECK(stress::in_child([&] {
          ::alarm(20);
          h.reset();
          return 0;
        }) == 0);
  inner->open();
  h->last_flush(test::in_time());
  CHECK(inner->writes() == 1);
}
#endif

TEST_CASE("a background handler without an inner one, or with an option out of range, is refused") {
  const handler_ptr inner = make_null_handler();
  CHECK_THROWS_WITH(make_background_handler(nullptr), contains("inner"));
  CHECK_THROWS_WITH(make_background_handler(inner, {.spool_bytes = 4095}), contains("4 KiB to 1 GiB"));
  CHECK_THROWS_WITH(make_background_handler(inner, {.spool_bytes = (std::size_t{1} << 30) + 1}),
                    contains("spool_bytes"));
  CHECK_THROWS_WITH(make_background_handler(inner, {.finish_limit = -1ms}), contains("finish_limit"));
  CHECK_THROWS_AS(make_background_handler(inner, {.finish_limit = 61s}), configuration_error);
  CHECK_NOTHROW(make_background_handler(inner, {.spool_bytes = 4096, .finish_limit = 0ms}));
}
