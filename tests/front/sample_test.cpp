// scope_options::sample_every: one in so many scopes that end well is written.
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("one in N scopes that end well is written, always the N-th") {
  manual_runtime rt;
  const logger lg = rt.get();
  for (int i = 1; i <= 10; ++i) {
    rt.write_all();
    const error_scope scope(lg, {.name = "request", .sample_every = 3});
    FAULTLINE_DEBUG(lg, "{}", i);
  }
  CHECK(rt.messages() == strings{"3", "6", "9"});
  CHECK(rt.dumps().size() == 3);
  CHECK(rt.dumps().at(0).trigger == trigger::sample);
  CHECK(to_string(trigger::sample) == "sample");
  CHECK(rt.dumps().at(0).scope == "request");
  CHECK(rt.stats().discarded == 7);
  CHECK(rt.stats().lost == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("scopes that fail do not count, and are no sample") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto guarded =
      log_if_errors(lg, {.sample_every = 2}).fails_when([](int r) { return r < 0; })([&](int r) {
        FAULTLINE_DEBUG(lg, "{}", r);
        if (r > 100) throw std::runtime_error("boom");
        if (r > 50) FAULTLINE_ERROR(lg, "error");
        return r;
      });
  (void)guarded(1);
  (void)guarded(-1);
  CHECK_THROWS(guarded(101));
  rt.write_all();
  (void)guarded(51);
  CHECK(rt.messages() == strings{"-1", "101", "call failed", "51", "error"});
  (void)guarded(2);
  CHECK(rt.messages().back() == "2");
  CHECK(rt.dumps().back().trigger == trigger::sample);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an escaping exception that trips nothing is no success either") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto failing = [&] {
    const error_scope scope(lg, {.flush_level = level::critical, .sample_every = 1});
    FAULTLINE_DEBUG(lg, "held");
    throw 1;
  };
  CHECK_THROWS(failing());
  CHECK(rt.messages().empty());
}

TEST_CASE("scopes of different loggers, names and rates are counted apart") {
  manual_runtime rt;
  for (int i = 1; i <= 4; ++i) {
    rt.write_all();
    for (const char* name : {"a", "b"}) {
      const error_scope scope(rt.get(name), {.name = name, .sample_every = name[0] == 'a' ? 2U : 4U});
      FAULTLINE_DEBUG(rt.get(name), "{}{}", name, i);
    }
  }
  CHECK(rt.messages() == strings{"a2", "a4", "b4"});
}

TEST_CASE("more kinds of scope than are counted apart share a count") {
  manual_runtime rt;
  const logger lg = rt.get();
  for (int kind = 0; kind < 100; ++kind) {
    rt.write_all();
    const std::string name = std::to_string(kind);
    const error_scope scope(lg, {.name = name, .sample_every = 10});
    FAULTLINE_DEBUG(lg, "{}", kind);
  }
  CHECK(rt.messages().size() == 6); // of the 69 beyond the first 31
  CHECK(closes(rt.stats()));
}

TEST_CASE("a sample of an inner scope stays with the outer one, and is written to one target once") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg);
    {
      const error_scope inner(lg, {.sample_every = 1});
      FAULTLINE_DEBUG(lg, "sampled");
    }
    FAULTLINE_DEBUG(lg, "outer");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"sampled", "outer", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a sample that finds no free buffer is left to the next scope, and nothing is lost") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  for (int i = 0; i < 3; ++i) {
    const error_scope scope(lg, {.sample_every = 1});
    FAULTLINE_DEBUG(lg, "{}", i);
  }
  CHECK(rt.messages() == strings{"0"});
  {
    const error_scope scope(lg, {.sample_every = 1});
    FAULTLINE_DEBUG(lg, "later");
  }
  CHECK(rt.messages() == strings{"0", "later"});
  CHECK(rt.stats().contexts_refused == 0);
  CHECK(rt.stats().lost == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("storms do not concern samples, and a sample does not begin to pass through") {
  manual_runtime rt({.storm_dumps_per_second = 1, .storm_burst = 1});
  const logger lg = rt.get();
  for (int i = 0; i < 5; ++i) {
    const error_scope scope(lg, {.after_trip = trip_policy::pass_through, .sample_every = 1});
    FAULTLINE_DEBUG(lg, "{}", i);
    rt.write_all();
  }
  CHECK(rt.messages().size() == 5);
  CHECK(rt.stats().contexts_suppressed == 0);
}
