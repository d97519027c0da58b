// Sequences that a cold review found to lose, repeat or miscount records.
#include <memory>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("an outbox that is empty takes any record the runtime makes, wherever the ring's end is") {
  manual_runtime rt({.outbox_bytes = 4096, .argument_bytes = 65'535});
  logger lg = rt.get();
  lg.add_handler(rt.target);
  const std::string large(100'000, 'x');
  for (int i = 0; i < 200; ++i) {
    FAULTLINE_INFO(lg, "{}", std::string_view(large).substr(0, static_cast<std::size_t>(i) * 7));
    rt.write_all();
    FAULTLINE_ERROR(lg, "{}", large);
    rt.write_all();
  }
  CHECK(rt.stats().outbox_full == 0);
  CHECK(rt.messages().size() == 400);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope with policy flush that was refused once writes all it holds afterwards") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  {
    const error_scope scope(lg, {.capacity = 4, .on_full = full_policy::flush});
    for (int i = 1; i <= 8; ++i) FAULTLINE_DEBUG(lg, "{}", i); // the second four find no free buffer
    CHECK(rt.stats().contexts_refused == 1);
    rt.write_all();
    for (int i = 9; i <= 12; ++i) FAULTLINE_DEBUG(lg, "{}", i);
  }
  const auto messages = rt.messages();
  CHECK(messages == strings{"1", "2", "3", "4", "8", "5", "6", "7", "9", "10", "11", "12"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a record is judged by the level that its handler had when it was logged") {
  manual_runtime rt;
  logger lg = rt.get();
  rt.target->set_level(level::info);
  lg.add_handler(rt.target);
  lg.add_handler(make_null_handler());
  {
    const error_scope scope(lg);
    FAULTLINE_INFO(lg, "passed");
    FAULTLINE_DEBUG(lg, "not passed");
    rt.target->set_level(level::error);
    FAULTLINE_INFO(lg, "not passed either");
    rt.target->set_level(level::trace);
    FAULTLINE_DEBUG(lg, "passed again");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"passed", "passed again", "not passed", "not passed either", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a merged dump says how many records none of its scopes remembered") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg, {.capacity = 2});
    const error_scope inner(lg, {.capacity = 100});
    for (int i = 0; i < 9; ++i) FAULTLINE_DEBUG(lg, "{}", i);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.dumps().at(0).records == 10);
  CHECK(rt.dumps().at(0).forgotten == 0);
}

TEST_CASE("a lost context is told by the next dump that is written, not by one that turns out empty") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger app = rt.get("app");
  {
    const error_scope scope(app);
    FAULTLINE_ERROR(app, "first");
    FAULTLINE_DEBUG(app, "context");
    FAULTLINE_ERROR(app, "second"); // refused
  }
  rt.write_all();
  {
    error_scope scope(app);
    FAULTLINE_DEBUG(rt.get("other"), "not the scope's");
    scope.trip("holds nothing of its own");
  }
  CHECK(rt.dumps().size() == 1);
  {
    const error_scope scope(app);
    FAULTLINE_ERROR(app, "third");
  }
  CHECK(rt.dumps().size() == 2);
  CHECK(rt.dumps().back().lost_contexts == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("when the outer scope ended on another thread, what only it held counts as discarded") {
  manual_runtime rt;
  const logger lg = rt.get();
  auto outer = std::make_unique<error_scope>(lg);
  FAULTLINE_DEBUG(lg, "outer's");
  {
    const error_scope inner(lg);
    std::thread([&] { outer.reset(); }).join();
    FAULTLINE_DEBUG(lg, "inner's");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"inner's", "error"});
  CHECK(rt.stats().handed_over == 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a wrapped function keeps its target alive though the runtime that had it before is gone") {
  manual_runtime b;
  auto a = std::make_unique<manual_runtime>();
  strings seen;
  auto target = make_callback_handler([&](const record_view& r) { seen.emplace_back(r.message()); });
  {
    const error_scope in_a(a->get(), {.target = target});
    FAULTLINE_ERROR(a->get(), "a");
  }
  a.reset();
  const auto guarded = log_if_errors(b.get(), {.target = target})([&] { FAULTLINE_ERROR(b.get(), "b"); });
  target.reset();
  guarded();
  b.write_all();
  CHECK(seen == strings{"a", "b"});
}

TEST_CASE("an empty name, reason or view is no memory error") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    error_scope scope(lg, {.name = std::string_view()});
    scope.field({}, std::string_view());
    FAULTLINE_DEBUG(lg, "{}", std::string_view());
    scope.trip({});
  }
  CHECK(rt.messages() == strings{""});
}

TEST_CASE("records before a hand-over's own count as what became of them, whatever that was") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get("app");
  logger passing = rt.get("app.passing");
  passing.add_handler(rt.target);
  auto outer = std::make_unique<error_scope>(lg, scope_options{.flush_level = level::critical});
  FAULTLINE_DEBUG(lg, "discarded");
  FAULTLINE_INFO(passing, "passed");
  for (const char* text : {"handed over", "refused"}) { // the second finds no free buffer
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "{}", text);
  }
  rt.write_all();
  const error_scope inner(lg);
  std::thread([&] { outer.reset(); }).join();
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"passed", "context", "handed over", "refused", "error"});
  CHECK(rt.stats().handed_over == 3);
  CHECK(rt.stats().passed_only == 2);
  CHECK(rt.stats().lost == 1);
  CHECK(rt.stats().discarded == 1);
  CHECK(closes(rt.stats()));
}
