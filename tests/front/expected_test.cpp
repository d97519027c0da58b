// Errors that were to be expected: they are written and trip nothing.
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/standing_clock.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct not_found : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct no_such_page : not_found {
  using not_found::not_found;
};

bool of_the_cache(const trip_view& v) noexcept { return v.logger == "app.cache"; }

} // namespace

TEST_CASE("an expected error is written alone and at once, and the scope goes on holding") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg, {.name = "request", .expects = of_the_cache});
    FAULTLINE_DEBUG(lg, "held");
    FAULTLINE_ERROR(rt.get("app.cache"), "expected");
    CHECK(rt.messages() == strings{"expected"});
    CHECK(rt.target->records().at(0).scope == "request");
    CHECK(rt.dumps().empty());
  }
  CHECK(rt.messages() == strings{"expected"});
  CHECK(rt.stats().discarded == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("another error writes the context, without what was written before") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg, {.expects = of_the_cache});
    FAULTLINE_DEBUG(lg, "held");
    FAULTLINE_ERROR(rt.get("app.cache"), "expected");
    FAULTLINE_ERROR(lg, "unexpected");
  }
  CHECK(rt.messages() == strings{"expected", "held", "unexpected"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("the predicate is told level, logger and site, and is asked of errors only") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  static int asked = 0;
  static bool right = false;
  asked = 0;
  right = false;
  {
    const error_scope scope(lg, {.expects = [](const trip_view& v) noexcept {
                              ++asked;
                              right = v.level == level::critical && v.logger == "app.db" &&
                                      v.format == "no row {}" && v.file.ends_with("expected_test.cpp") &&
                                      v.line > 0 && !v.function.empty() && !v.exception_escapes &&
                                      v.exception_type == nullptr;
                              return true;
                            }});
    FAULTLINE_WARNING(lg, "not asked of");
    FAULTLINE_CRITICAL(rt.get("app.db"), "no row {}", 7);
  }
  CHECK(asked == 1);
  CHECK(right);
  CHECK(rt.messages() == strings{"no row 7"});
}

TEST_CASE("an error that one scope expects and another does not reaches each target once") {
  for (const bool same : {true, false}) {
    manual_runtime rt;
    const auto other = make_memory_handler();
    {
      const error_scope outer(rt.get("app"), {.target = same ? handler_ref{} : handler_ref(other)});
      const error_scope inner(rt.get("app"), {.expects = of_the_cache});
      FAULTLINE_DEBUG(rt.get("app"), "held");
      FAULTLINE_ERROR(rt.get("app.cache"), "error");
    }
    CHECK(rt.messages() == (same ? strings{"held", "error"} : strings{"error"}));
    CHECK(other->messages() == (same ? strings{} : strings{"held", "error"}));
    CHECK(closes(rt.stats()));
  }
}

TEST_CASE("handlers that are attached get an expected error once") {
  manual_runtime rt;
  logger lg = rt.get("app.cache");
  lg.add_handler(rt.target);
  {
    const error_scope scope(rt.get("app"), {.expects = of_the_cache});
    FAULTLINE_ERROR(lg, "expected");
  }
  CHECK(rt.messages() == strings{"expected"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("an expected error that fills a scope with policy flush is in its dump") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get(),
                            {.capacity = 2, .on_full = full_policy::flush, .expects = of_the_cache});
    FAULTLINE_DEBUG(rt.get(), "1");
    FAULTLINE_ERROR(rt.get("app.cache"), "2");
    FAULTLINE_DEBUG(rt.get(), "3");
  }
  CHECK(rt.messages() == strings{"1", "2"});
  CHECK(rt.dumps().at(0).trigger == trigger::full);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an expected error does not make a scope pass through") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get(), {.after_trip = trip_policy::pass_through, .expects = of_the_cache});
    FAULTLINE_ERROR(rt.get("app.cache"), "expected");
    FAULTLINE_DEBUG(rt.get(), "held");
  }
  CHECK(rt.messages() == strings{"expected"});
}

TEST_CASE("an expected error that the outbox refuses goes by a buffer, with what the scope holds") {
  manual_runtime rt({.outbox_bytes = 4096});
  {
    const error_scope scope(rt.get(), {.expects = of_the_cache});
    FAULTLINE_DEBUG(rt.get(), "held");
    while (rt.stats().outbox_full == 0) FAULTLINE_ERROR(rt.get("app.cache"), "expected");
  }
  CHECK(rt.stats().outbox_full == 1);
  CHECK(rt.stats().lost == 0);
  const auto messages = rt.messages();
  REQUIRE(messages.size() > 3);
  CHECK(messages.at(messages.size() - 3) == "expected"); // the last that the outbox took
  CHECK(messages.at(messages.size() - 2) == "held");
  CHECK(messages.back() == "expected");
  CHECK(rt.dumps().size() == 1);
  CHECK(rt.dumps().at(0).trigger == trigger::full);
  CHECK(rt.dumps().at(0).reason == "outbox full");
  CHECK(rt.dumps().at(0).lost_contexts == 0);
  CHECK(rt.stats().contexts_refused == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an expected error that outbox and buffers refuse is counted, and stays in the scope") {
  manual_runtime rt({.buffers_per_thread = 2, .outbox_bytes = 4096});
  {
    const error_scope scope(rt.get(), {.capacity = 1000, .expects = of_the_cache});
    for (int i = 0; i < 200; ++i) FAULTLINE_ERROR(rt.get("app.cache"), "{}", i);
    CHECK(rt.stats().lost > 0);
    CHECK(rt.stats().lost == rt.stats().outbox_full - 1); // one buffer was free
    rt.write_all();
    FAULTLINE_ERROR(rt.get(), "unexpected");
  }
  CHECK(rt.messages().size() == 201);
  CHECK(rt.dumps().back().lost_contexts == 0);
  CHECK(rt.stats().lost == 0);
  CHECK(rt.stats().contexts_refused == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an expected error refused by everything leaves no context that would be told of as lost") {
  manual_runtime rt({.buffers_per_thread = 2, .outbox_bytes = 4096});
  {
    const error_scope scope(rt.get(), {.expects = of_the_cache});
    for (int i = 0; i < 200; ++i) FAULTLINE_ERROR(rt.get("app.cache"), "{}", i);
  }
  rt.write_all();
  const error_scope scope(rt.get());
  FAULTLINE_ERROR(rt.get(), "error");
  CHECK(rt.dumps().back().lost_contexts == 0);
}

TEST_CASE("in a storm, too, an expected error that the outbox refuses goes by a buffer") {
  const test::standing_clock clock;
  manual_runtime rt({.outbox_bytes = 4096,
                     .storm_dumps_per_second = 1,
                     .storm_burst = 1,
                     .on_error = [](const error_report&) {}});
  const auto fail = [&](expectation expects, int times) {
    const error_scope scope(rt.get(), {.expects = expects});
    for (int i = 0; i < times; ++i) FAULTLINE_ERROR(rt.get("app.cache"), "error");
  };
  for (int i = 0; i < 3; ++i) {
    fail(nullptr, 1);
    rt.write_all();
  }
  REQUIRE(rt.stats().contexts_suppressed > 0);
  const std::uint64_t refused = rt.stats().outbox_full;
  {
    const error_scope scope(rt.get(), {.expects = of_the_cache});
    while (rt.stats().outbox_full == refused) fail(of_the_cache, 1);
  }
  CHECK(rt.stats().lost == 0);
  rt.write_all();
  CHECK(closes(rt.stats()));
}

TEST_CASE(
    "an expected error that fills a scope which another one's failure shares is no failure of that scope") {
  manual_runtime rt;
  const auto other = make_memory_handler();
  {
    const error_scope outer(rt.get(), {.target = other});
    const error_scope inner(rt.get(), {.capacity = 2,
                                       .on_full = full_policy::flush,
                                       .after_trip = trip_policy::pass_through,
                                       .expects = of_the_cache});
    FAULTLINE_DEBUG(rt.get(), "1");
    FAULTLINE_ERROR(rt.get("app.cache"), "2"); // expected here, not there; and full
    FAULTLINE_DEBUG(rt.get(), "held");
    CHECK(rt.messages() == strings{"1", "2"});
  }
  CHECK(rt.messages() == strings{"1", "2"}); // it did not begin to pass through
  CHECK(other->messages() == strings{"1", "2"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("what the target had already counts for a scope's capacity") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outermost(lg, {.flush_level = level::critical, .capacity = 3});
    FAULTLINE_DEBUG(lg, "1");
    const error_scope outer(lg, {.capacity = 2});
    const error_scope inner(lg, {.capacity = 1});
    FAULTLINE_DEBUG(lg, "2");
    FAULTLINE_DEBUG(lg, "3");
    FAULTLINE_ERROR(lg, "error"); // outer writes two, inner one of these
    CHECK(rt.messages() == strings{"3", "error"});
    FAULTLINE_CRITICAL(lg, "critical");
  }
  CHECK(rt.messages() == strings{"3", "error", "critical"});
  CHECK(rt.dumps().back().forgotten == 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a record that never went the pass path is in a dump to whom the pass path serves by now") {
  manual_runtime rt;
  const auto late = make_memory_handler();
  logger lg = rt.get("app");
  lg.set_propagate(false);
  rt.get().add_handler(late);
  {
    const error_scope outer(lg, {.target = late, .flush_level = level::critical});
    const error_scope inner(lg, {.expects = [](const trip_view&) noexcept { return true; }});
    FAULTLINE_ERROR(lg, "told to the inner scope's target alone");
    lg.set_propagate(true);
    FAULTLINE_CRITICAL(lg, "critical");
  }
  rt.write_all();
  CHECK(late->messages() == strings{"told to the inner scope's target alone", "critical"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("expected types add up") {
  manual_runtime rt;
  const auto guarded =
      log_if_errors(rt.get()).expects<not_found>().expects<std::out_of_range, int>()([](int which) {
        if (which == 0) throw no_such_page("page");
        if (which == 1) throw std::out_of_range("range");
        if (which == 2) throw 2;
        throw std::runtime_error("boom");
      });
  CHECK_THROWS_AS(guarded(0), no_such_page);
  CHECK_THROWS_AS(guarded(1), std::out_of_range);
  CHECK_THROWS_AS(guarded(2), int);
  CHECK(rt.messages().empty());
  CHECK_THROWS_AS(guarded(3), std::runtime_error);
  CHECK(rt.messages() == strings{"call failed"});
}

TEST_CASE("the predicate knows the type of an exception that leaves a guarded function") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto guarded = log_if_errors(lg, {.expects = [](const trip_view& v) noexcept {
                                       return v.exception_escapes && v.exception_type != nullptr &&
                                              *v.exception_type == typeid(not_found);
                                     }})([&](bool known) {
    FAULTLINE_DEBUG(lg, "held");
    if (known) throw not_found("page");
    throw std::runtime_error("boom");
  });
  CHECK_THROWS_AS(guarded(true), not_found);
  CHECK(rt.messages() == strings{"call failed"});
  CHECK(rt.dumps().empty());
  CHECK_THROWS(guarded(false));
  CHECK(rt.messages() == strings{"call failed", "held", "call failed"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("exceptions of expected types are logged at INFO, write no scope, and go on") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto seen = make_memory_handler();
  seen->set_level(level::info);
  logger(lg).add_handler(seen);
  const auto guarded = log_if_errors(lg).expects<not_found, std::out_of_range>()([&](int which) {
    FAULTLINE_DEBUG(lg, "held");
    if (which == 0) throw no_such_page("page");
    if (which == 1) throw std::out_of_range("range");
    throw std::runtime_error("boom");
  });
  CHECK_THROWS_AS(guarded(0), no_such_page);
  CHECK_THROWS_AS(guarded(1), std::out_of_range);
  CHECK(rt.messages().empty());
  CHECK(seen->messages() == strings{"call failed as expected", "call failed as expected"});
  CHECK(seen->records().at(0).level == level::info);
  CHECK(seen->records().at(0).exception.find("no_such_page: page") != std::string::npos);
  CHECK_THROWS_AS(guarded(2), std::runtime_error);
  CHECK(rt.messages() == strings{"held", "call failed"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("expected types and a predicate on the result go together in either order") {
  manual_runtime rt;
  const auto negative = [](int r) { return r < 0; };
  const auto body = [&](int r) {
    FAULTLINE_DEBUG(rt.get(), "{}", r);
    if (r == 0) throw not_found("zero");
    return r;
  };
  const auto one = log_if_errors(rt.get(), {.name = "one"}).fails_when(negative).expects<not_found>()(body);
  const auto two = log_if_errors(rt.get(), {.name = "two"}).expects<not_found>().fails_when(negative)(body);
  for (const auto& call : {one(1), two(1), one(-1), two(-1)}) (void)call;
  CHECK_THROWS_AS(one(0), not_found);
  CHECK_THROWS_AS(two(0), not_found);
  CHECK(rt.messages() == strings{"-1", "-1"});
  CHECK(rt.dumps().at(0).scope == "one");
  CHECK(rt.dumps().at(1).scope == "two");
}
