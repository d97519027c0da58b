// Trace ids: made, asked for, written and read.
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;

namespace {

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

bool is_zero(const auto& id) { return id == std::remove_cvref_t<decltype(id)>{}; }

/// What a forked child makes.
trace_context of_a_child() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const trace_context made = make_trace_context();
    ::_exit(::write(ends[1], &made, sizeof made) == sizeof made ? 0 : 1);
  }
  trace_context made;
  REQUIRE(::read(ends[0], &made, sizeof made) == sizeof made);
  int status = 0;
  (void)::waitpid(child, &status, 0);
  for (const int end : ends) (void)::close(end);
  return made;
}

} // namespace

TEST_CASE("trace ids are never zero and never twice, on any thread") {
  std::mutex mutex;
  std::set<std::string> traces;
  std::set<std::string> spans;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          const trace_context made = make_trace_context();
          const std::string text = made.traceparent();
          const std::lock_guard lock(mutex);
          CHECK_FALSE((is_zero(made.trace_id) || is_zero(made.span_id)));
          traces.insert(text.substr(3, 32));
          spans.insert(text.substr(36, 16));
        }
      });
  }
  CHECK(traces.size() == 4000);
  CHECK(spans.size() == 4000);
}

TEST_CASE("each bit of a trace id is random") {
  std::array<int, 192> ones{};
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i) {
    const trace_context made = make_trace_context();
    for (std::size_t bit = 0; bit < ones.size(); ++bit) {
      const std::uint8_t byte = bit < 128 ? made.trace_id[bit / 8] : made.span_id[(bit - 128) / 8];
      ones[bit] += byte >> bit % 8 & 1;
    }
  }
  for (const int n : ones) CHECK(std::abs(n - rounds / 2) < 200); // nine standard deviations
}

TEST_CASE("a forked child makes other trace ids than its parent and its siblings") {
  (void)make_trace_context(); // seeded before the forks
  const trace_context one = of_a_child();
  const trace_context two = of_a_child();
  const trace_context own = make_trace_context();
  CHECK(one.trace_id != two.trace_id);
  CHECK(one.trace_id != own.trace_id);
  CHECK(two.trace_id != own.trace_id);
}

TEST_CASE("a child span has its parent's trace and a span id of its own") {
  const trace_context made = make_trace_context();
  CHECK(made.child().trace_id == made.trace_id);
  CHECK(made.child().span_id != made.span_id);
  CHECK(made.child() != made.child());
}

TEST_CASE("a traceparent is read and written as the same text") {
  const auto read = parse_traceparent(parent);
  REQUIRE(read);
  CHECK(read->trace_id[0] == 0x4B);
  CHECK(read->span_id[7] == 0xB7);
  CHECK(read->traceparent() == parent);
  const trace_context made = make_trace_context();
  CHECK(parse_traceparent(made.traceparent()) == made);
  CHECK_FALSE(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  CHECK_FALSE(parse_traceparent(trace_context{}.traceparent()));
}

TEST_CASE("the current trace is that of the innermost scope that has one") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  CHECK_FALSE(current_trace());
  const trace_context outer_trace = make_trace_context();
  const trace_context inner_trace = outer_trace.child();
  {
    error_scope outer(lg, {.name = "outer"});
    CHECK_FALSE(current_trace());
    outer.trace(outer_trace);
    CHECK(current_trace() == outer_trace);
    {
      error_scope inner(lg, {.name = "inner"});
      CHECK(current_trace() == outer_trace);
      inner.trace(inner_trace);
      CHECK(current_trace() == inner_trace);
      std::thread([] { CHECK_FALSE(current_trace()); }).join();
    }
    CHECK(current_trace() == outer_trace);
    FAULTLINE_ERROR(lg, "failed");
  }
  CHECK_FALSE(current_trace());
}

TEST_CASE("the current trace is asked of the runtime that the thread used last, then of the others") {
  manual_runtime first;
  manual_runtime second;
  error_scope in_first(first.get("app"));
  error_scope in_second(second.get("app"));
  const trace_context of_first = make_trace_context();
  in_first.trace(of_first);
  CHECK(current_trace() == of_first);
  const trace_context of_second = make_trace_context();
  in_second.trace(of_second);
  CHECK(current_trace() == of_second);
  FAULTLINE_DEBUG(first.get("app"), "used last");
  CHECK(current_trace() == of_first);
}

TEST_CASE("a scope that ended on another thread has no current trace") {
  manual_runtime rt;
  auto scope = std::make_unique<error_scope>(rt.get("app"));
  scope->trace(make_trace_context());
  std::thread([&] { scope.reset(); }).join();
  CHECK_FALSE(current_trace());
}
