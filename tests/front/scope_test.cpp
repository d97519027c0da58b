#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("a scope that succeeds writes nothing") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "one");
    FAULTLINE_WARNING(lg, "two");
  }
  CHECK(rt.messages().empty());
  CHECK(rt.stats().discarded == 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an error writes what the scope holds, oldest first, the error last") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "one");
    FAULTLINE_INFO(lg, "two");
    FAULTLINE_ERROR(lg, "three");
    FAULTLINE_DEBUG(lg, "after");
  }
  CHECK(rt.messages() == strings{"one", "two", "three"});
  CHECK(rt.target->writes() == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("after a trip the scope holds again and a second error writes only what came since") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "a");
    FAULTLINE_ERROR(lg, "b");
    FAULTLINE_DEBUG(lg, "c");
    FAULTLINE_ERROR(lg, "d");
  }
  CHECK(rt.messages() == strings{"a", "b", "c", "d"});
  CHECK(rt.dumps().size() == 2);
}

TEST_CASE("a scope writes the last `capacity` records and says how many it forgot") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg, {.name = "request", .capacity = 3});
    for (int i = 0; i < 10; ++i) FAULTLINE_DEBUG(lg, "{}", i);
    FAULTLINE_ERROR(lg, "failed");
  }
  CHECK(rt.messages() == strings{"8", "9", "failed"});
  const auto dump = rt.dumps().at(0);
  CHECK(dump.scope == "request");
  CHECK(dump.records == 3);
  CHECK(dump.forgotten == 8);
  CHECK(dump.trigger == trigger::level);
  CHECK(dump.reason == "ERROR");
}

TEST_CASE("a scope sees its logger and the logger's descendants only") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get("app"));
    FAULTLINE_DEBUG(rt.get("app.db.pool"), "descendant");
    FAULTLINE_DEBUG(rt.get("other"), "stranger");
    FAULTLINE_DEBUG(rt.get(), "ancestor");
    FAULTLINE_ERROR(rt.get("other"), "stranger's error");
    FAULTLINE_ERROR(rt.get("app"), "error");
  }
  CHECK(rt.messages() == strings{"stranger's error", "descendant", "error"}); // which comes alone, at once
  CHECK(closes(rt.stats()));
}

TEST_CASE("records of a logger that does not propagate stay out of scopes above it") {
  manual_runtime rt;
  rt.get("app.db").set_propagate(false);
  {
    const error_scope scope(rt.get("app"));
    FAULTLINE_ERROR(rt.get("app.db.pool"), "hidden");
    FAULTLINE_ERROR(rt.get("app"), "shown");
  }
  CHECK(rt.messages() == strings{"hidden", "shown"});
  CHECK(rt.dumps().size() == 1);
  CHECK(rt.dumps()[0].records == 1);
}

TEST_CASE("a full scope with policy flush writes what it holds, error or not") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope scope(lg, {.capacity = 2, .on_full = full_policy::flush});
    for (int i = 0; i < 5; ++i) FAULTLINE_DEBUG(lg, "{}", i);
  }
  CHECK(rt.messages() == strings{"0", "1", "2", "3"});
  CHECK(rt.dumps().at(0).trigger == trigger::full);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope with policy flush loses nothing to the buffer's bound") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  strings expected;
  {
    const error_scope scope(lg, {.capacity = 100'000, .on_full = full_policy::flush});
    for (int i = 0; i < 300; ++i) {
      FAULTLINE_DEBUG(lg, "{}", i);
      if (i % 20 == 0) rt.write_all();
      expected.push_back(std::to_string(i));
    }
    FAULTLINE_ERROR(lg, "end");
  }
  expected.emplace_back("end");
  CHECK(rt.messages() == expected);
  CHECK(rt.stats().forgotten == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a full buffer forgets its oldest records, counts them and tells how many") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  constexpr int records = 1000;
  {
    const error_scope scope(lg, {.capacity = 100'000});
    for (int i = 0; i < records; ++i) FAULTLINE_DEBUG(lg, "{}", i);
    FAULTLINE_ERROR(lg, "{}", records);
  }
  const auto messages = rt.messages();
  const auto dump = rt.dumps().at(0);
  REQUIRE(messages.size() > 80);
  CHECK(dump.forgotten + messages.size() == records + 1);
  for (std::size_t i = 0; i < messages.size(); ++i)
    CHECK(messages[i] ==
          std::to_string(records + 1 - static_cast<int>(messages.size()) + static_cast<int>(i)));
  CHECK(rt.stats().forgotten == dump.forgotten);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an inner scope that ends well keeps its records for the outer one") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg);
    FAULTLINE_DEBUG(lg, "outer");
    {
      const error_scope inner(lg);
      FAULTLINE_DEBUG(lg, "inner");
    }
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"outer", "inner", "error"});
}

TEST_CASE("an exception that leaves an error_scope is `call failed` at ERROR") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  const auto failing = [&] {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "before");
    throw std::runtime_error("boom");
  };
  CHECK_THROWS_AS(failing(), std::runtime_error);
  CHECK(rt.messages() == strings{"before", "call failed"});
  CHECK(rt.dumps().at(0).trigger == trigger::exception);
}

TEST_CASE("an exception caught inside the scope is no failure, and a scope inside a catch block is judged by "
          "its own") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    FAULTLINE_SCOPE(lg);
    try {
      throw 1;
    } catch (int) {
      FAULTLINE_SCOPE(lg, .name = "in the handler");
      FAULTLINE_DEBUG(lg, "held");
    }
  }
  CHECK(rt.messages().empty());
}

TEST_CASE("a scope in a destructor that runs while an exception unwinds is judged by its own") {
  manual_runtime rt;
  const logger lg = rt.get();
  struct cleaner {
    logger lg;
    ~cleaner() {
      FAULTLINE_SCOPE(lg);
      FAULTLINE_DEBUG(lg, "cleaning");
    }
  };
  const auto failing = [&] {
    const cleaner c{lg};
    throw 1;
  };
  CHECK_THROWS_AS(failing(), int);
  CHECK(rt.messages().empty());
}

TEST_CASE("a scope whose flush level is CRITICAL writes nothing for an escaping exception") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto failing = [&] {
    FAULTLINE_SCOPE(lg, .flush_level = level::critical);
    throw 1;
  };
  CHECK_THROWS_AS(failing(), int);
  CHECK(rt.messages().empty());
}

TEST_CASE("trip writes what is held with its reason, and nothing when nothing is held") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    error_scope scope(lg);
    scope.trip("empty");
    FAULTLINE_DEBUG(lg, "held");
    scope.trip("asked");
    scope.trip("empty again");
  }
  CHECK(rt.messages() == strings{"held"});
  REQUIRE(rt.dumps().size() == 1);
  CHECK(rt.dumps()[0].trigger == trigger::call);
  CHECK(rt.dumps()[0].reason == "asked");
}

TEST_CASE("a scope that takes longer than its budget is written as slow") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope quick(lg, {.budget = std::chrono::hours(1)});
    FAULTLINE_DEBUG(lg, "quick");
  }
  CHECK(rt.messages().empty());
  {
    const error_scope slow(lg, {.budget = std::chrono::nanoseconds(1)});
    FAULTLINE_DEBUG(lg, "slow");
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(10);
    while (std::chrono::steady_clock::now() < until) {
    }
  }
  CHECK(rt.messages() == strings{"slow"});
  CHECK(rt.dumps().at(0).trigger == trigger::budget);
  CHECK(rt.dumps().at(0).duration >= std::chrono::nanoseconds(1));
}

TEST_CASE("wrong scope options throw an error that names option and value") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto making = [&](scope_options o) { return [&lg, o] { const error_scope scope(lg, o); }; };
  CHECK_THROWS_WITH(making({.capacity = 0})(), test::contains("capacity: '0'"));
  CHECK_THROWS_WITH(making({.after_trip = static_cast<trip_policy>(7)})(),
                    test::contains("after_trip: '7': not a policy"));
  CHECK_THROWS_WITH(making({.budget = std::chrono::nanoseconds(-5)})(), test::contains("budget: '-5 ns'"));
  CHECK_THROWS_WITH(making({.flush_level = static_cast<level>(9)})(), test::contains("flush_level: '9'"));
  CHECK_THROWS_AS(log_if_errors(lg, {.capacity = 0}), configuration_error);
}

TEST_CASE("scopes beyond the deepest nesting hold nothing and are counted, and the rest goes on") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto nest = [&](const auto& self, int depth) -> void {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "{}", depth);
    if (depth < 40) self(self, depth + 1);
    if (depth == 40) FAULTLINE_ERROR(lg, "deep");
  };
  nest(nest, 1);
  CHECK(rt.stats().scopes_refused == 8);
  CHECK(rt.messages().size() == 41);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope that ends out of order is counted and abandoned") {
  manual_runtime rt;
  const logger lg = rt.get();
  auto outer = std::make_unique<error_scope>(lg);
  auto inner = std::make_unique<error_scope>(lg);
  outer.reset();
  FAULTLINE_ERROR(lg, "alone");
  inner.reset();
  CHECK(rt.messages() == strings{"alone"}); // no scope sees it
  CHECK(rt.stats().scopes_abandoned == 1);
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_ERROR(lg, "and this is written");
  }
  CHECK(rt.messages() == strings{"alone", "and this is written"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope that ends on another thread is counted, abandoned and trips no more") {
  manual_runtime rt;
  const logger lg = rt.get();
  auto scope = std::make_unique<error_scope>(lg);
  FAULTLINE_DEBUG(lg, "held");
  std::thread([&] { scope.reset(); }).join();
  FAULTLINE_ERROR(lg, "alone");
  CHECK(rt.messages() == strings{"alone"});
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_ERROR(lg, "written");
  }
  CHECK(rt.messages() == strings{"alone", "written"});
  CHECK(rt.stats().scopes_abandoned == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("without a free buffer the error still reaches its target, and a later trip tells the context "
          "after all") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "1");
    FAULTLINE_ERROR(lg, "first"); // takes the second buffer; the first is on its way
    FAULTLINE_DEBUG(lg, "2");
    FAULTLINE_ERROR(lg, "second"); // no free buffer
    CHECK(rt.stats().contexts_refused == 1);
    CHECK(rt.messages() == strings{"1", "first", "second"});
    FAULTLINE_DEBUG(lg, "3");
    FAULTLINE_ERROR(lg, "third");
  }
  CHECK(rt.messages() == strings{"1", "first", "second", "2", "3", "third"});
  CHECK(closes(rt.stats()));
  CHECK(rt.stats().lost == 0);
}

TEST_CASE("a context that could not be handed over counts as lost, and the next dump says so") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "first");
    FAULTLINE_DEBUG(lg, "lost context");
    FAULTLINE_ERROR(lg, "second");
  }
  CHECK(rt.messages() == strings{"first", "second"});
  CHECK(rt.stats().lost == 1);
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "third");
  }
  CHECK(rt.dumps().back().lost_contexts == 1);
  CHECK(closes(rt.stats()));
}
