#include "flusher/storm_control.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/standing_clock.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;

TEST_CASE("a site has its burst and then its rate, by the clock that is given") {
  detail::storm_board board;
  detail::storm_control control(board, 10, 3);
  const std::vector<handler*> nobody;
  std::uint64_t now = 1'000'000'000;
  for (int i = 0; i < 3; ++i) CHECK(control.allow(7, now, nobody));
  CHECK_FALSE(control.allow(7, now, nobody));
  CHECK(control.allow(8, now, nobody));
  CHECK(board.suppress(7));
  CHECK_FALSE(board.suppress(8));
  CHECK(control.summaries(now, false).empty());
  now += 100'000'000; // a tenth of a second: one token
  const auto ended = control.summaries(now, false);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].site == 7);
  CHECK(ended[0].contexts == 2);
  CHECK_FALSE(board.suppress(7));
  CHECK(control.allow(7, now, nobody));
}

TEST_CASE("a rate of zero is no limit") {
  detail::storm_board board;
  detail::storm_control control(board, 0, 1);
  for (int i = 0; i < 100; ++i) CHECK(control.allow(7, 1, {}));
}

TEST_CASE(
    "other limits hold from then on: a larger burst is there at once, and without a rate a storm is over") {
  detail::storm_board board;
  detail::storm_control control(board, 10, 1);
  const std::uint64_t now = 1'000'000'000;
  CHECK(control.allow(7, now, {}));
  control.set_limits(10, 3);
  CHECK(control.allow(7, now, {}));
  CHECK(control.allow(7, now, {}));
  CHECK_FALSE(control.allow(7, now, {}));
  control.set_limits(10, 1); // a smaller one takes what is there and no more
  CHECK_FALSE(control.allow(7, now, {}));
  control.set_limits(0, 1);
  CHECK(control.allow(7, now, {}));
  CHECK(control.summaries(now, false).size() == 1);
  CHECK_FALSE(board.suppress(7));
}

TEST_CASE("a storm suppresses contexts but no error, counts them and says so in one line") {
  const test::standing_clock clock;
  manual_runtime rt({.storm_dumps_per_second = 1, .storm_burst = 5, .on_error = [](const error_report&) {}});
  const logger lg = rt.get("app");
  constexpr int failures = 200;
  for (int i = 0; i < failures; ++i) {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "error {}", i);
    if (i % 2 == 0) rt.write_all();
  }
  (void)rt.get_runtime().stop();
  const auto messages = rt.target->messages();
  int errors = 0;
  int contexts = 0;
  std::string summary;
  for (const auto& m : messages) {
    if (m.starts_with("error")) ++errors;
    if (m == "context") ++contexts;
    if (m.starts_with("storm:")) summary = m;
  }
  CHECK(errors == failures);
  CHECK(contexts == 5);
  CHECK(rt.stats().contexts_suppressed == static_cast<std::uint64_t>(failures - contexts));
  CHECK(summary.find(std::to_string(failures - contexts) + " failures at ") != std::string::npos);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a storm that goes on is told of each second, and one without failures is not") {
  detail::storm_board board;
  detail::storm_control control(board, 1, 100);
  std::uint64_t now = 1'000'000'000;
  for (int i = 0; i < 100; ++i) REQUIRE(control.allow(7, now, {}));
  REQUIRE_FALSE(control.allow(7, now, {}));
  CHECK(control.summaries(now + 500'000'000, false).empty());
  now += 1'100'000'000; // a token is there, a tenth of the burst is not: the storm goes on
  REQUIRE(control.summaries(now, false).size() == 1);
  CHECK_FALSE(control.allow(7, now, {}));
  CHECK(board.suppress(7));
  now += 1'100'000'000;
  const auto ended = control.summaries(now, false);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].contexts == 2);
  now += 1'100'000'000;
  CHECK(control.summaries(now, false).empty());
  now += 20'000'000'000;
  CHECK(control.summaries(now, false).empty());
  CHECK_FALSE(board.suppress(7));
  CHECK(control.allow(7, now, {}));
}

TEST_CASE("what no record tripped is never in a storm") {
  detail::storm_board board;
  detail::storm_control control(board, 1, 1);
  for (int i = 0; i < 10; ++i) CHECK(control.allow(0, 1, {}));
}

TEST_CASE("in a storm the error reaches each target that takes it, and is lost where none does") {
  const test::standing_clock clock;
  for (const bool takes : {true, false}) {
    manual_runtime rt(
        {.storm_dumps_per_second = 1, .storm_burst = 1, .on_error = [](const error_report&) {}});
    const logger lg = rt.get();
    const handler_ptr refusing = make_callback_handler([](const batch&) { throw 1; });
    const handler_ptr refusing_too = make_callback_handler([](const batch&) { throw 2; });
    const auto other = make_memory_handler();
    for (int i = 0; i < 4; ++i) { // the first three are in the queue when the storm begins
      const error_scope outer(lg, {.target = refusing});
      const error_scope inner(lg, {.target = takes ? handler_ptr(other) : refusing});
      const error_scope innermost(lg, {.target = refusing_too});
      FAULTLINE_DEBUG(lg, "context");
      FAULTLINE_ERROR(lg, "error {}", i);
      if (i == 1) rt.write_all();
    }
    rt.write_all();
    CHECK(rt.stats().contexts_suppressed >= 1);
    const auto messages = other->messages();
    CHECK(std::count(messages.begin(), messages.end(), "context") == (takes ? 1 : 0));
    CHECK(messages.size() == (takes ? 5 : 0));
    CHECK(closes(rt.stats()));
  }
}
