// Statements of which not every occurrence is a record.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

/// A runtime whose one logger writes all of its records.
class written {
 public:
  written() : lg(rt_.get("app")) { lg.add_handler(rt_.target); }
  [[nodiscard]] strings messages() { return rt_.messages(); }
  [[nodiscard]] manual_runtime& runtime() { return rt_; }

 private:
  manual_runtime rt_;

 public:
  logger lg;
};

} // namespace

TEST_CASE(
    "a conditional statement evaluates its arguments only if the condition holds, and each thing once") {
  written w;
  int loggers = 0;
  int conditions = 0;
  int arguments = 0;
  const auto lg = [&] {
    ++loggers;
    return w.lg;
  };
  for (int i = 0; i < 4; ++i)
    FAULTLINE_LOG_IF(lg(), level::info, (++conditions, i % 2 == 1), "{} {}", i, ++arguments);
  CHECK(w.messages() == strings{"1 1", "3 2"});
  CHECK(loggers == 4);
  CHECK(conditions == 4);
  CHECK(arguments == 2);
}

TEST_CASE("a statement may be the branch of an if without braces, before its else") {
  written w;
  for (const bool b : {true, false})
    if (b)
      FAULTLINE_LOG_IF(w.lg, level::info, b, "then");
    else
      FAULTLINE_LOG_EVERY(w.lg, level::info, 1h, "else");
  CHECK(w.messages() == strings{"then", "else"});
}

TEST_CASE("every n-th occurrence is a record, beginning with the first") {
  written w;
  for (int i = 0; i < 7; ++i) FAULTLINE_LOG_EVERY_N(w.lg, level::info, 3, "{}", i);
  CHECK(w.messages() == strings{"0", "3", "6"});
}

TEST_CASE("each occurrence is a record where n is one, zero or negative") {
  written w;
  for (const int n : {1, 0, -3})
    for (int i = 0; i < 2; ++i) FAULTLINE_LOG_EVERY_N(w.lg, level::info, n, "{} {}", n, i);
  CHECK(w.messages().size() == 6);
}

TEST_CASE("the first n occurrences are records, and none for an n that is not positive") {
  written w;
  for (int i = 0; i < 5; ++i) FAULTLINE_LOG_FIRST_N(w.lg, level::info, 2U, "{}", i);
  for (int i = 0; i < 5; ++i) FAULTLINE_LOG_FIRST_N(w.lg, level::info, -1, "never {}", i);
  for (int i = 0; i < 5; ++i) FAULTLINE_LOG_FIRST_N(w.lg, level::info, 0, "never {}", i);
  for (int i = 0; i < 5; ++i) FAULTLINE_LOG_ONCE(w.lg, level::warning, "once {}", i);
  CHECK(w.messages() == strings{"0", "1", "once 0"});
}

TEST_CASE("two statements count apart, two loggers in one statement together") {
  written w;
  const logger child = w.runtime().get("app.child");
  for (const logger& lg : {w.lg, child}) {
    FAULTLINE_LOG_ONCE(lg, level::info, "one {}", lg.name());
    FAULTLINE_LOG_ONCE(lg, level::info, "two {}", lg.name());
  }
  CHECK(w.messages() == strings{"one app", "two app"});
}

TEST_CASE("nothing is counted or evaluated while the logger's level is off") {
  written w;
  int evaluated = 0;
  const auto say = [&](int round) {
    FAULTLINE_LOG_ONCE(w.lg, level::info, "once {}", round);
    FAULTLINE_LOG_EVERY_N(w.lg, level::info, (++evaluated, 2), "every second {}", round);
    FAULTLINE_LOG_EVERY(w.lg, level::info, (++evaluated, 1h), "limited {}", round);
    FAULTLINE_LOG_IF(w.lg, level::info, (++evaluated, true), "if {}", round);
    FAULTLINE_LOG_IF(w.lg, level::off, (++evaluated, true), "no level {}", round);
  };
  w.lg.set_level(level::warning);
  say(0);
  CHECK(evaluated == 0);
  w.lg.set_level(level::debug);
  say(1);
  CHECK(evaluated == 3);
  CHECK(w.messages() == strings{"once 1", "every second 1", "limited 1", "if 1"});
}

TEST_CASE("of a statement with an interval the first occurrence is a record and the others are suppressed") {
  written w;
  int arguments = 0;
  for (int i = 0; i < 5; ++i) FAULTLINE_LOG_EVERY(w.lg, level::info, 1h, "{}", (++arguments, i));
  CHECK(w.messages() == strings{"0"});
  CHECK(arguments == 1);
}

TEST_CASE("an interval that is not positive suppresses nothing") {
  written w;
  for (const auto interval : {0s, -1s})
    for (int i = 0; i < 3; ++i) FAULTLINE_LOG_EVERY(w.lg, level::info, interval, "{}", i);
  CHECK(w.messages() == strings{"0", "1", "2", "0", "1", "2"});
}

TEST_CASE("the record after an interval tells how many were suppressed, whatever its arguments") {
  written w;
  for (int i = 0; i < 4; ++i) { // the interval shrinks to none, so that the last one is due
    const auto interval = i < 3 ? std::chrono::nanoseconds(1h) : 0ns;
    FAULTLINE_LOG_EVERY(w.lg, level::warning, interval, "{1} {0:>4}", i, std::string("disk full"));
  }
  for (int i = 0; i < 3; ++i) {
    const auto interval = i < 2 ? std::chrono::nanoseconds(1h) : 0ns;
    FAULTLINE_LOG_EVERY(w.lg, level::warning, interval, "{}", 2.5L);
  }
  CHECK(w.messages() ==
        strings{"disk full    0", "disk full    3 [2 suppressed]", "2.5", "2.5 [1 suppressed]"});
  CHECK(w.runtime().stats().format_errors == 0);
}

TEST_CASE("an interval is over when the clock says so, and begins anew with its record") {
  detail::interval_limit limit;
  CHECK(limit.admits(1000, 100));
  CHECK_FALSE(limit.admits(1000, 100));
  CHECK_FALSE(limit.admits(1099, 100));
  CHECK(limit.take_suppressed() == 2);
  CHECK(limit.admits(1100, 100));
  CHECK(limit.take_suppressed() == 0);
  CHECK(limit.admits(5000, 100));
  CHECK_FALSE(limit.admits(4990, 100)); // another thread's reading, a little older
  CHECK_FALSE(limit.admits(5099, 100));
  CHECK(limit.take_suppressed() == 2);
  CHECK_FALSE(limit.admits(4950, 100));
  CHECK(limit.admits(3, 100)); // the clock went back
  CHECK_FALSE(limit.admits(4, 100));
  CHECK(limit.admits(103, 100));
}

TEST_CASE("a limit is believed that lies two intervals ahead, and none that lies further") {
  detail::interval_limit limit;
  CHECK(limit.admits(1000, 100));
  CHECK_FALSE(limit.admits(900, 100));
  CHECK(limit.admits(899, 100));
  CHECK_FALSE(limit.admits(998, 100));
  CHECK(limit.admits(999, 100));
}

TEST_CASE("an interval of some milliseconds ends") {
  written w;
  const auto start = std::chrono::steady_clock::now();
  while (w.messages().size() < 3 && std::chrono::steady_clock::now() - start < 20s) {
    FAULTLINE_LOG_EVERY(w.lg, level::info, 2ms, "tick");
  }
  REQUIRE(w.messages().size() == 3);
  CHECK(std::chrono::steady_clock::now() - start > 3900us); // two intervals, by clocks that differ a little
}

TEST_CASE(
    "of many threads in one statement exactly the chosen occurrences are records, and none is uncounted") {
  constexpr int threads = 4;
  constexpr int each = 5000;
  runtime rt({.outbox_bytes = std::size_t{4} << 20});
  const auto target = make_memory_handler();
  logger lg = rt.get_logger("app");
  lg.add_handler(target);
  const auto limited = [&](std::chrono::nanoseconds interval) {
    FAULTLINE_LOG_EVERY(lg, level::error, interval, "limited");
  };
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        FAULTLINE_LOG_EVERY_N(lg, level::info, 100, "every");
        FAULTLINE_LOG_FIRST_N(lg, level::info, 17, "first");
        FAULTLINE_LOG_ONCE(lg, level::info, "once");
        limited(1h);
      }
    });
  for (std::thread& t : running) t.join();
  REQUIRE(rt.flush()); // two threads' records are in the order of their rounds
  limited(0ns);
  REQUIRE(rt.flush());
  std::size_t every = 0, first = 0, once = 0;
  strings rest;
  for (const std::string& m : target->messages()) {
    if (m == "every")
      ++every;
    else if (m == "first")
      ++first;
    else if (m == "once")
      ++once;
    else
      rest.push_back(m);
  }
  CHECK(every == threads * each / 100);
  CHECK(first == 17);
  CHECK(once == 1);
  CHECK(rest == strings{"limited", "limited [" + std::to_string(threads * each - 1) + " suppressed]"});
  REQUIRE(rt.stop());
  CHECK(closes(rt.stats()));
}

TEST_CASE("a chosen statement trips a scope and is held by one as any other") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg);
    FAULTLINE_LOG_ONCE(lg, level::debug, "held {}", 1);
  }
  {
    const error_scope scope(lg);
    FAULTLINE_LOG_IF(lg, level::debug, true, "held {}", 2);
    FAULTLINE_LOG_EVERY(lg, level::error, 1h, "error {}", 3);
  }
  CHECK(rt.messages() == strings{"held 2", "error 3"});
  CHECK(rt.target->records().at(1).level == level::error);
}
