// trip_policy::pass_through: after a trip what the scope sees is written at once.
#include <memory>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/standing_clock.hpp"
#include "support/watched_handler.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {
const scope_options passing{.after_trip = trip_policy::pass_through};
}

TEST_CASE("before its first trip a scope that passes through writes nothing") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope scope(lg, passing);
    FAULTLINE_DEBUG(lg, "held");
  }
  CHECK(rt.messages().empty());
  CHECK(rt.stats().discarded == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("after a trip each record is written as it comes, in order, until the scope ends") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg, {.name = "request", .after_trip = trip_policy::pass_through});
    FAULTLINE_DEBUG(lg, "before");
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_DEBUG(lg, "after");
    CHECK(rt.messages() == strings{"before", "error", "after"});
    FAULTLINE_ERROR(lg, "second error");
    FAULTLINE_TRACE(lg, "below the logger's level");
    FAULTLINE_INFO(lg, "last");
  }
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "of another scope");
  }
  CHECK(rt.messages() == strings{"before", "error", "after", "second error", "last"});
  CHECK(rt.dumps().size() == 1);
  const auto records = rt.target->records();
  CHECK(records.at(2).dump_id == 0);
  CHECK(records.at(2).scope == "request");
  CHECK(closes(rt.stats()));
  CHECK(rt.stats().passed_only == 3);
}

TEST_CASE(
    "a call, an exception and a result make a scope pass through as a level does; a full scope does not") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    error_scope scope(lg, passing);
    scope.trip("from here on"); // nothing is held
    FAULTLINE_DEBUG(lg, "1");
  }
  CHECK(rt.messages() == strings{"1"});
  {
    const error_scope scope(
        lg, {.capacity = 2, .on_full = full_policy::flush, .after_trip = trip_policy::pass_through});
    for (int i = 2; i < 7; ++i) FAULTLINE_DEBUG(lg, "{}", i);
  }
  CHECK(rt.messages() == strings{"1", "2", "3", "4", "5"});
  {
    const error_scope scope(lg, passing);
    const auto failing = log_if_errors(lg)([] { throw std::runtime_error("boom"); });
    CHECK_THROWS(failing());
    FAULTLINE_DEBUG(lg, "8");
  }
  CHECK(rt.messages() == strings{"1", "2", "3", "4", "5", "call failed", "8"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope inside one that passes through ends, and the outer one goes on passing") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg, passing);
    {
      const error_scope inner(lg, {.flush_level = level::off});
      FAULTLINE_ERROR(lg, "error");
      FAULTLINE_DEBUG(lg, "inside");
    }
    FAULTLINE_DEBUG(lg, "outside");
    const error_scope next(lg, {.flush_level = level::off});
    FAULTLINE_DEBUG(lg, "in the next");
  }
  CHECK(rt.messages() == strings{"error", "inside", "outside", "in the next"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("what an inner scope passed is not in the outer scope's dump to the same target, and is in that to "
          "another") {
  for (const bool same : {true, false}) {
    manual_runtime rt;
    const auto other = make_memory_handler();
    const logger lg = rt.get();
    {
      const error_scope outer(
          lg, {.target = same ? handler_ref{} : handler_ref(other), .flush_level = level::critical});
      FAULTLINE_DEBUG(lg, "outer");
      {
        const error_scope inner(lg, passing);
        FAULTLINE_ERROR(lg, "error");
        FAULTLINE_DEBUG(lg, "passed");
      }
      FAULTLINE_CRITICAL(lg, "critical");
    }
    if (same) {
      CHECK(rt.messages() == strings{"error", "passed", "outer", "critical"});
    } else {
      CHECK(rt.messages() == strings{"error", "passed"});
      CHECK(other->messages() == strings{"outer", "error", "passed", "critical"});
    }
    CHECK(closes(rt.stats()));
  }
}

TEST_CASE("a record that one scope passes and that trips another reaches each target once") {
  for (const bool same : {true, false}) {
    for (const bool routed : {true, false}) {
      manual_runtime rt;
      const auto other = make_memory_handler();
      const auto third = make_memory_handler();
      logger lg = rt.get();
      if (routed) lg.add_handler(third);
      {
        const error_scope outer(
            lg, {.target = same ? handler_ref{} : handler_ref(other), .flush_level = level::critical});
        const error_scope inner(lg, passing);
        FAULTLINE_ERROR(lg, "error");
        FAULTLINE_DEBUG(lg, "passed");
        FAULTLINE_CRITICAL(lg, "critical");
        FAULTLINE_DEBUG(lg, "last");
      }
      CHECK(rt.messages() == strings{"error", "passed", "critical", "last"});
      CHECK(other->messages() == (same ? strings{} : strings{"error", "passed", "critical"}));
      CHECK(third->messages() == (routed ? strings{"error", "passed", "critical", "last"} : strings{}));
      CHECK(closes(rt.stats()));
    }
  }
}

TEST_CASE("records that the pass path gives to the same handler are not given twice") {
  manual_runtime rt;
  logger lg = rt.get();
  rt.target->set_level(level::info);
  lg.add_handler(rt.target);
  {
    const error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_INFO(lg, "info");
    FAULTLINE_DEBUG(lg, "debug");
  }
  CHECK(rt.messages() == strings{"error", "info", "debug"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("records that the scope does not see are not passed, and trip nothing") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_ERROR(rt.get("other"), "stranger");
    FAULTLINE_DEBUG(rt.get("app.db"), "descendant");
  }
  CHECK(rt.messages() == strings{"error", "stranger", "descendant"}); // the stranger comes alone
  CHECK(rt.target->records().at(1).scope.empty());
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope passes through although its context was refused, which is lost") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  {
    const error_scope first(lg);
    FAULTLINE_ERROR(lg, "takes the spare buffer");
  }
  {
    const error_scope scope(lg, passing);
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "refused");
    FAULTLINE_DEBUG(lg, "passed");
    CHECK(rt.messages() == strings{"takes the spare buffer", "refused", "passed"});
    CHECK(rt.stats().lost == 1);
    FAULTLINE_ERROR(lg, "second");
    FAULTLINE_DEBUG(lg, "passed again");
  }
  CHECK(rt.messages() == strings{"takes the spare buffer", "refused", "passed", "second", "passed again"});
  CHECK(rt.stats().contexts_refused == 1);
  CHECK(rt.stats().lost == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("what a full outbox refuses to pass is lost and counted, and what comes later is passed") {
  manual_runtime rt({.outbox_bytes = 4096});
  const logger lg = rt.get();
  constexpr int many = 200;
  {
    const error_scope scope(lg, {.capacity = 1000, .after_trip = trip_policy::pass_through});
    FAULTLINE_ERROR(lg, "error");
    for (int i = 0; i < many; ++i) FAULTLINE_DEBUG(lg, "{}", i);
    const auto s = rt.stats();
    CHECK(s.outbox_full > 0);
    CHECK(s.lost == s.outbox_full);
    CHECK(rt.messages().size() == many + 1 - s.lost);
    FAULTLINE_ERROR(lg, "second");
    FAULTLINE_DEBUG(lg, "passed");
    CHECK(rt.messages().size() == many + 3 - s.lost);
    CHECK(rt.messages().back() == "passed");
    CHECK(rt.stats().lost == s.lost);
  }
  CHECK(rt.dumps().size() == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an error of a scope that passes through goes by a buffer when the outbox refuses it") {
  manual_runtime rt({.buffers_per_thread = 6, .outbox_bytes = 4096});
  const logger lg = rt.get();
  {
    const error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "first");
    while (rt.stats().outbox_full == 0) FAULTLINE_ERROR(lg, "error");
    CHECK(rt.stats().lost == 0);
    FAULTLINE_DEBUG(lg, "refused");
    CHECK(rt.stats().lost == 1);
  }
  CHECK(rt.stats().lost == 1);
  CHECK(rt.messages().size() == rt.stats().logged - 1);
  CHECK(rt.messages().back() == "error");
  CHECK(rt.dumps().at(1).reason == "outbox full");
  CHECK(rt.dumps().back().lost_contexts == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a record that another scope's dump has for the same target is not lost, full as the outbox is") {
  manual_runtime rt({.buffers_per_thread = 6, .outbox_bytes = 4096});
  const logger lg = rt.get("app");
  {
    const error_scope other(rt.get("other"), passing);
    FAULTLINE_ERROR(rt.get("other"), "error");
    const error_scope outer(lg, {.flush_level = level::critical});
    error_scope scope(lg, {.flush_level = level::off, .after_trip = trip_policy::pass_through});
    scope.trip("passes from here on");
    while (rt.stats().outbox_full == 0) FAULTLINE_ERROR(rt.get("other"), "fills the outbox");
    FAULTLINE_CRITICAL(lg, "critical");
  }
  CHECK(rt.messages().back() == "critical");
  {
    const error_scope next(lg);
    FAULTLINE_ERROR(lg, "next");
  }
  CHECK(rt.dumps().back().lost_contexts == 0);
  CHECK(rt.stats().lost == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("each target is told by the name of its own scope") {
  manual_runtime rt;
  const auto outer_target = make_memory_handler();
  logger lg = rt.get();
  const auto attached = make_memory_handler();
  {
    const error_scope outer(
        lg, {.name = "outer", .target = outer_target, .after_trip = trip_policy::pass_through});
    const error_scope inner(lg, {.name = "inner", .after_trip = trip_policy::pass_through});
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_DEBUG(lg, "passed");
    lg.add_handler(attached);
    FAULTLINE_DEBUG(lg, "routed as well");
  }
  REQUIRE(rt.messages() == strings{"error", "passed", "routed as well"});
  REQUIRE(outer_target->messages() == rt.messages());
  REQUIRE(attached->messages() == strings{"routed as well"});
  for (const auto& r : rt.target->records()) CHECK(r.scope == "inner");
  for (const auto& r : outer_target->records()) CHECK(r.scope == "outer");
  CHECK(attached->records().at(0).scope == "inner");
  CHECK(closes(rt.stats()));
}

TEST_CASE("an error without its context goes to each target by the name of its own scope") {
  manual_runtime rt({.buffers_per_thread = 2});
  const auto outer_target = make_memory_handler();
  const logger lg = rt.get();
  {
    const error_scope first(lg);
    FAULTLINE_ERROR(lg, "takes the spare buffer");
  }
  {
    const error_scope outer(lg, {.name = "outer", .target = outer_target});
    const error_scope inner(lg, {.name = "inner"});
    FAULTLINE_ERROR(lg, "refused");
  }
  CHECK(rt.messages() == strings{"takes the spare buffer", "refused"});
  CHECK(rt.target->records().at(1).scope == "inner");
  REQUIRE(faultline::test::messages_of(*outer_target) == strings{"refused"});
  CHECK(outer_target->records().at(0).scope == "outer");
  CHECK(closes(rt.stats()));
}

TEST_CASE("a call, a budget or a result does not trip a scope that passes through: it holds nothing") {
  manual_runtime rt({.outbox_bytes = 4096});
  const logger lg = rt.get();
  {
    error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_DEBUG(lg, "passed");
    scope.trip("nothing is left to write");
    CHECK(rt.dumps().size() == 1);
    while (rt.stats().outbox_full == 0) FAULTLINE_DEBUG(lg, "passed");
    scope.trip("nor now");
  }
  CHECK(rt.dumps().size() == 1);
  CHECK(rt.messages().size() == rt.stats().logged - rt.stats().lost);
  CHECK(closes(rt.stats()));
}

TEST_CASE("in a storm a scope does not begin to pass through") {
  const test::standing_clock clock;
  manual_runtime rt({.storm_dumps_per_second = 1, .storm_burst = 1, .on_error = [](const error_report&) {}});
  const logger lg = rt.get();
  const auto fail = [&](int i) {
    const error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "error {}", i);
    FAULTLINE_DEBUG(lg, "after {}", i);
    rt.write_all();
  };
  for (int i = 0; i < 4; ++i) fail(i);
  CHECK(rt.messages() == strings{"error 0", "after 0", "error 1", "after 1", "error 2", "error 3"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope that passes through and ends out of order passes no more") {
  manual_runtime rt;
  const logger lg = rt.get();
  auto outer = std::make_unique<error_scope>(lg);
  auto inner = std::make_unique<error_scope>(lg, passing);
  FAULTLINE_ERROR(lg, "error");
  outer.reset();
  FAULTLINE_DEBUG(lg, "nobody's");
  inner.reset();
  FAULTLINE_SCOPE(lg);
  FAULTLINE_DEBUG(lg, "held");
  CHECK(rt.messages() == strings{"error"});
}

TEST_CASE("after stop what would be passed is counted") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "error");
    (void)rt.get_runtime().stop();
    FAULTLINE_DEBUG(lg, "late");
  }
  CHECK(rt.target->messages() == strings{"error"});
  CHECK(rt.stats().after_stop == 1);
  CHECK(rt.stats().lost == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope that passes through forgets nothing however much it passes") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  constexpr int many = 1000;
  {
    const error_scope scope(lg, passing);
    FAULTLINE_ERROR(lg, "error");
    for (int i = 0; i < many; ++i) {
      FAULTLINE_DEBUG(lg, "{}", i);
      if (i % 20 == 0) rt.write_all();
    }
  }
  CHECK(rt.messages().size() == many + 1);
  CHECK(rt.stats().forgotten == 0);
  CHECK(closes(rt.stats()));
}
