// runtime_options::hold_outside_scopes: a thread holds its last records while no scope is open, too.
#include <chrono>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

runtime_options holding(runtime_options options = {}) {
  options.hold_outside_scopes = true;
  return options;
}

void log_numbers(logger lg, int from, int to) {
  for (int i = from; i < to; ++i) FAULTLINE_DEBUG(lg, "{}", i);
}

} // namespace

TEST_CASE("an error outside scopes writes what its thread logged before, in a dump of the root's") {
  manual_runtime rt(holding());
  const logger lg = rt.get("app.cache");
  log_numbers(lg, 0, 2);
  CHECK(rt.messages().empty());
  FAULTLINE_ERROR(lg, "error");
  log_numbers(lg, 2, 3);
  FAULTLINE_ERROR(lg, "again");
  CHECK(rt.messages() == strings{"0", "1", "error", "2", "again"});
  REQUIRE(rt.dumps().size() == 2);
  CHECK(rt.dumps()[0].logger == "root");
  CHECK(rt.dumps()[0].scope.empty());
  CHECK(rt.dumps()[0].reason == "ERROR");
  CHECK(rt.dumps()[1].records == 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE("without it such an error comes alone") {
  manual_runtime rt;
  FAULTLINE_DEBUG(rt.get(), "before");
  FAULTLINE_ERROR(rt.get(), "error");
  CHECK(rt.messages() == strings{"error"});
}

TEST_CASE("of what is held outside scopes the last 100 are written") {
  manual_runtime rt(holding());
  const logger lg = rt.get();
  log_numbers(lg, 0, 1000);
  FAULTLINE_ERROR(lg, "error");
  const strings written = rt.messages();
  REQUIRE(written.size() == 100);
  CHECK(written.front() == "901");
  CHECK(rt.dumps().at(0).forgotten == 901);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope that succeeds leaves what was held before it, and nothing of its own") {
  manual_runtime rt(holding());
  const logger lg = rt.get();
  for (int n = 0; n < 3; ++n) {
    log_numbers(lg, 10 * n, 10 * n + 2);
    {
      const error_scope scope(lg);
      log_numbers(lg, 100, 150);
      const error_scope inner(lg);
      log_numbers(lg, 150, 160);
    }
    CHECK(closes(rt.stats()));
  }
  CHECK(rt.stats().discarded == 180);
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"0", "1", "10", "11", "20", "21", "error"});
  CHECK(rt.dumps().at(0).forgotten == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE(
    "a scope that fails writes its own records; what its thread held before it is discarded and counted") {
  manual_runtime rt(holding());
  const logger lg = rt.get();
  log_numbers(lg, 0, 3);
  {
    const error_scope scope(lg, {.name = "work"});
    log_numbers(lg, 10, 12);
    FAULTLINE_ERROR(lg, "failed");
    log_numbers(lg, 12, 14);
  }
  log_numbers(lg, 3, 5);
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"10", "11", "failed", "3", "4", "error"});
  CHECK(rt.dumps().at(0).scope == "work");
  CHECK(rt.stats().discarded == 5);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an inner scope that fails alone leaves what was held outside") {
  manual_runtime rt(holding());
  const auto other = make_memory_handler();
  const logger lg = rt.get();
  log_numbers(lg, 0, 2);
  {
    const error_scope outer(lg, {.flush_level = level::critical});
    log_numbers(lg, 10, 12);
    const error_scope inner(lg, {.target = other});
    log_numbers(lg, 20, 22);
    FAULTLINE_ERROR(lg, "failed");
  }
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"0", "1", "error"});
  CHECK(other->messages() == strings{"20", "21", "failed"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("scopes that overwrite the buffer cost what was held outside, and it is told") {
  manual_runtime rt(holding({.buffer_bytes = 4096}));
  const logger lg = rt.get();
  for (int n = 0; n < 3; ++n) {
    log_numbers(lg, 0, 7);
    {
      const error_scope scope(lg);
      log_numbers(lg, 0, 1000 + 37 * n);
    }
    CHECK(closes(rt.stats()));
  }
  log_numbers(lg, 7, 9);
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"7", "8", "error"});
  CHECK(rt.dumps().at(0).forgotten == 21);
  CHECK(closes(rt.stats()));
}

TEST_CASE("scopes of any length between records outside: each ledger closes, and order stays") {
  manual_runtime rt(holding({.buffer_bytes = 4096}));
  const logger lg = rt.get();
  int next = 0;
  for (int length = 0; length < 60; ++length) {
    log_numbers(lg, next, next + 1);
    ++next;
    {
      const error_scope scope(lg);
      log_numbers(lg, 5000, 5000 + length);
    }
    REQUIRE(closes(rt.stats()));
  }
  FAULTLINE_ERROR(lg, "error");
  const strings written = rt.messages();
  REQUIRE(written.size() > 1);
  for (std::size_t i = 0; i + 1 < written.size(); ++i)
    CHECK(written[i] == std::to_string(next - static_cast<int>(written.size()) + 1 + static_cast<int>(i)));
  CHECK(rt.dumps().at(0).forgotten + written.size() == 61);
  CHECK(closes(rt.stats()));
}

TEST_CASE("what a handler wants is written at once, and held outside scopes as well") {
  manual_runtime rt(holding());
  const logger lg = rt.get("app");
  const auto log = make_memory_handler();
  log->set_level(level::info);
  logger(lg).add_handler(log);
  FAULTLINE_DEBUG(lg, "held");
  FAULTLINE_INFO(lg, "passed");
  rt.write_all();
  CHECK(log->messages() == strings{"passed"});
  CHECK(closes(rt.stats()));
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"held", "passed", "error"});
  CHECK(log->messages() == strings{"passed", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("without a buffer for them records outside scopes are kept for the next error") {
  manual_runtime rt(holding({.buffers_per_thread = 2}));
  const logger lg = rt.get();
  FAULTLINE_ERROR(lg, "first");
  log_numbers(lg, 0, 2);
  FAULTLINE_ERROR(lg, "second"); // the other buffer is on its way
  CHECK(rt.stats().contexts_refused == 1);
  CHECK(rt.messages() == strings{"first", "second"});
  FAULTLINE_ERROR(lg, "third");
  CHECK(rt.messages() == strings{"first", "second", "0", "1", "third"});
  CHECK(rt.dumps().back().lost_contexts == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("records outside scopes have their own time, with the scope's clock as well") {
  for (const clock_kind clock : {clock_kind::scope, clock_kind::coarse, clock_kind::tsc}) {
    manual_runtime rt(holding({.clock = clock}));
    const logger lg = rt.get();
    FAULTLINE_DEBUG(lg, "before");
    { const error_scope scope(lg); }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    FAULTLINE_DEBUG(lg, "after");
    FAULTLINE_ERROR(lg, "error");
    rt.write_all();
    const auto records = rt.target->records();
    REQUIRE(records.size() == 3);
    CHECK(records[1].time - records[0].time >= std::chrono::milliseconds(2));
    for (const auto& record : records) CHECK(record.time_is_exact);
  }
}

TEST_CASE("what a thread holds outside scopes ends with it, and the next one begins with nothing") {
  manual_runtime rt(holding());
  const logger lg = rt.get();
  std::thread([&] { log_numbers(lg, 0, 5); }).join();
  CHECK(rt.stats().logged == 5);
  CHECK(rt.stats().discarded == 5);
  CHECK(rt.stats().scopes_abandoned == 0);
  std::thread([&] {
    log_numbers(lg, 5, 6);
    FAULTLINE_ERROR(lg, "error");
  }).join();
  CHECK(rt.messages() == strings{"5", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("abandoned scopes give way to what was held outside") {
  manual_runtime rt(holding());
  const logger lg = rt.get();
  log_numbers(lg, 0, 2);
  auto lost = std::make_unique<error_scope>(lg);
  log_numbers(lg, 100, 102);
  std::thread([&] { lost.reset(); }).join();
  {
    const error_scope scope(lg);
    log_numbers(lg, 200, 202);
  }
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"0", "1", "error"});
  CHECK(rt.stats().scopes_abandoned == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an error behind abandoned scopes is an error outside scopes, whatever their level was") {
  for (const level flush_level : {level::error, level::off}) {
    manual_runtime rt(holding({.clock = clock_kind::scope}));
    const logger lg = rt.get();
    log_numbers(lg, 0, 2);
    auto outer = std::make_unique<error_scope>(lg, scope_options{.flush_level = flush_level});
    auto inner = std::make_unique<error_scope>(lg, scope_options{.flush_level = flush_level, .pin_first = 1});
    log_numbers(lg, 2, 3);
    std::thread([&] { inner.reset(); }).join();
    if (flush_level == level::off) FAULTLINE_ERROR(lg, "of the outer scope");
    std::thread([&] { outer.reset(); }).join();
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_ERROR(lg, "again");
    rt.write_all();
    const strings written = rt.messages();
    REQUIRE(written.size() >= 5);
    CHECK(strings(written.begin(), written.begin() + 3) == strings{"0", "1", "2"});
    CHECK(strings(written.end() - 2, written.end()) == strings{"error", "again"});
    CHECK_FALSE(rt.target->records().at(2).time_is_exact); // the scope's
    CHECK(rt.target->records().back().time_is_exact);
    CHECK(rt.stats().scopes_abandoned == 2);
    CHECK(closes(rt.stats()));
  }
}

TEST_CASE("a scope that writes when it is full is not made so by what was held before it") {
  manual_runtime rt(holding({.buffer_bytes = 4096}));
  const logger lg = rt.get();
  for (int i = 0; i < 500; ++i) {
    log_numbers(lg, i, i + 1);
    const error_scope scope(lg, {.on_full = full_policy::flush});
    log_numbers(lg, 1000, 1002);
  }
  CHECK(rt.messages().empty());
  {
    const error_scope scope(lg, {.capacity = 1000, .on_full = full_policy::flush});
    log_numbers(lg, 0, 150); // more than the buffer holds
  }
  CHECK(rt.stats().lost == 0);
  REQUIRE(rt.dumps().size() == 1);
  CHECK(rt.messages().front() == "0");
  CHECK(closes(rt.stats()));
}

TEST_CASE("what is owed outside scopes is counted as lost, though a scope overwrote the buffer meanwhile") {
  manual_runtime rt(holding({.buffer_bytes = 4096, .buffers_per_thread = 2}));
  const logger lg = rt.get();
  std::thread([&] {
    FAULTLINE_ERROR(lg, "first");
    log_numbers(lg, 0, 40);
    FAULTLINE_ERROR(lg, "refused");
    {
      const error_scope scope(lg);
      log_numbers(lg, 0, 1000);
    }
    log_numbers(lg, 40, 42);
    FAULTLINE_ERROR(lg, "refused again");
  }).join();
  rt.write_all();
  CHECK(rt.stats().contexts_refused == 2);
  CHECK(rt.stats().lost == 42);
  CHECK(closes(rt.stats()));
}

TEST_CASE("the level at which records outside scopes are written is the root's flush level") {
  manual_runtime rt(holding());
  rt.get().set_flush_level(level::warning);
  FAULTLINE_DEBUG(rt.get(), "held");
  FAULTLINE_WARNING(rt.get(), "warning");
  CHECK(rt.messages() == strings{"held", "warning"});
}

namespace {

/// An error outside scopes that finds no free buffer, so that its context is owed.
void owe_context(const logger& lg) {
  FAULTLINE_ERROR(lg, "first"); // takes the spare buffer
  log_numbers(lg, 0, 2);
  FAULTLINE_ERROR(lg, "refused");
}

} // namespace

TEST_CASE("a context from outside scopes that is never told is told of: its thread ended") {
  manual_runtime rt(holding({.buffers_per_thread = 2}));
  const logger lg = rt.get();
  std::thread([&] { owe_context(lg); }).join();
  rt.write_all();
  std::thread([&] { FAULTLINE_ERROR(lg, "later"); }).join(); // in the slot that was left
  CHECK(rt.messages() == strings{"first", "refused", "later"});
  CHECK(rt.dumps().back().lost_contexts == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a context from outside scopes that is never told is told of: a scope's dump took the buffer") {
  manual_runtime rt(holding({.buffers_per_thread = 2}));
  const logger lg = rt.get();
  owe_context(lg);
  rt.write_all();
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "in a scope");
  }
  FAULTLINE_ERROR(lg, "refused again"); // the other buffer is on its way
  rt.write_all();
  FAULTLINE_ERROR(lg, "later");
  CHECK(rt.messages().back() == "later");
  CHECK(rt.dumps().back().lost_contexts == 1);
  CHECK(closes(rt.stats()));
}
