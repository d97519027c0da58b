#include <chrono>

#include <fmt/format.h>

#include "flusher/stats_schedule.hpp"

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("statistics print what is not zero, in their order") {
  CHECK(fmt::format("{}", runtime_stats{}) == "nothing logged");
  runtime_stats s;
  s.logged = 12;
  s.handed_over = 3;
  s.rounds = 18'446'744'073'709'551'615U;
  CHECK(to_string(s) == "logged=12 handed_over=3 rounds=18446744073709551615");
  CHECK(fmt::format("[{}]", s) == "[logged=12 handed_over=3 rounds=18446744073709551615]");
}

TEST_CASE("statistics are the argument of a statement, too") {
  manual_runtime rt;
  rt.get().add_handler(rt.target);
  runtime_stats s;
  s.dumps = 7;
  FAULTLINE_INFO(rt.get(), "so far {}", s);
  CHECK(rt.messages() == strings{"so far dumps=7"});
}

TEST_CASE("a line is due after each interval, and at the end, by the clock that is given") {
  detail::stats_schedule schedule(10ns, 100);
  CHECK_FALSE(schedule.is_due(109, false));
  CHECK(schedule.is_due(110, false));
  CHECK_FALSE(schedule.is_due(119, false));
  CHECK(schedule.is_due(145, false)); // late: those that were missed are not made up for
  CHECK_FALSE(schedule.is_due(146, false));
  CHECK(schedule.is_due(147, true));
}

TEST_CASE("without an interval no line is due, not even at the end") {
  detail::stats_schedule schedule(0ns, 100);
  CHECK_FALSE(schedule.is_due(1'000'000, false));
  CHECK_FALSE(schedule.is_due(1'000'000, true));
}

TEST_CASE("the default target gets a line of statistics at the interval and at the end") {
  manual_runtime rt({.stats_interval = 1ns}); // each round is later than that
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "failed");
  }
  (void)rt.get_runtime().run_once();
  auto records = rt.target->records();
  REQUIRE(records.size() == 3);
  CHECK(records[2].message.starts_with("logged=2 handed_over=2 taken=2 written=2 dumps=1 hand_overs=1"));
  CHECK(records[2].level == level::info);
  CHECK(records[2].logger == "faultline");
  (void)rt.get_runtime().stop();
  records = rt.target->records();
  CHECK(records.size() > 4); // of the rounds of the stop, and the last
  CHECK(records.back().message.starts_with("logged=2 "));
}

TEST_CASE("with a long interval the line of the end is the only one, and without one there is none") {
  for (const auto interval : {std::chrono::nanoseconds(24h), std::chrono::nanoseconds(0)}) {
    manual_runtime rt({.stats_interval = interval});
    FAULTLINE_DEBUG(rt.get(), "discarded");
    (void)rt.get_runtime().run_once();
    CHECK(rt.target->messages().empty());
    (void)rt.get_runtime().stop();
    const auto messages = rt.target->messages();
    REQUIRE(messages.size() == (interval.count() != 0 ? 1U : 0U));
    if (!messages.empty()) CHECK(messages[0].starts_with("logged=1 discarded=1 threads=1 "));
  }
}
