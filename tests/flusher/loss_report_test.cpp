// What is lost is said where people read: at the target, or the handlers of the logger.
#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("nothing lost, nothing said") {
  manual_runtime rt;
  rt.get().add_handler(rt.target);
  {
    FAULTLINE_SCOPE(rt.get());
    FAULTLINE_ERROR(rt.get(), "error");
  }
  FAULTLINE_INFO(rt.get(), "line");
  CHECK(rt.losses().empty());
  CHECK(rt.get_runtime().stop());
  CHECK(rt.target->records().size() == 2);
}

TEST_CASE("lines that a full outbox refuses are told at the handlers of their logger, with number, place and "
          "what helps") {
  manual_runtime rt({.outbox_bytes = 4096});
  const auto own = make_memory_handler();
  const logger lg = rt.get("srv");
  lg.add_handler(own);
  for (int i = 0; i < 500; ++i) FAULTLINE_INFO(lg, "line {}", i);
  rt.write_all();
  const std::uint64_t lost = rt.stats().lost;
  REQUIRE(lost > 100);
  const stored_record last = own->records().back();
  CHECK(last.logger == "faultline");
  CHECK(last.level == level::warning);
  CHECK(contains(last.message, "lost: " + std::to_string(lost) + " records, the latest at "));
  CHECK(contains(last.message, "loss_report_test.cpp:"));
  CHECK(contains(last.message, "(outbox_bytes=4096)"));
  CHECK(rt.losses().empty()); // the default target lacks nothing
  CHECK(own->records().size() == 500 - lost + 1);
  CHECK(closes(rt.stats())); // the line is in no ledger
}

TEST_CASE("what a full outbox refuses and a buffer takes instead is not said to be lost") {
  manual_runtime rt({.outbox_bytes = 4096});
  const logger lg = rt.get();
  const error_scope scope(lg, {.after_trip = trip_policy::pass_through});
  FAULTLINE_ERROR(lg, "first");
  while (rt.stats().outbox_full == 0) FAULTLINE_ERROR(lg, "error");
  rt.write_all();
  CHECK(rt.stats().lost == 0);
  CHECK(rt.losses().empty());
}

TEST_CASE("a record that a full outbox refuses to two scopes with one target is one record that is lost") {
  manual_runtime rt({.outbox_bytes = 4096});
  const logger lg = rt.get();
  const error_scope outer(lg, {.after_trip = trip_policy::pass_through});
  const error_scope inner(lg, {.after_trip = trip_policy::pass_through});
  FAULTLINE_ERROR(lg, "first");
  while (rt.stats().outbox_full == 0) FAULTLINE_DEBUG(lg, "detail");
  rt.write_all();
  CHECK(rt.stats().outbox_full == 2);
  CHECK(rt.stats().lost == 1);
  REQUIRE(rt.losses().size() == 1);
  CHECK(contains(rt.losses().front(), "lost: 1 record, the latest at "));
}

TEST_CASE("failures without a free buffer are told at the scope's target, with the scope's name") {
  manual_runtime rt({.buffers_per_thread = 2});
  const auto own = make_memory_handler();
  const logger lg = rt.get();
  for (int i = 0; i < 5; ++i) {
    FAULTLINE_SCOPE(lg, .name = "order", .target = own);
    FAULTLINE_DEBUG(lg, "detail");
    FAULTLINE_ERROR(lg, "error {}", i);
  }
  rt.write_all();
  REQUIRE(rt.stats().contexts_refused == 4);
  const std::string last = own->records().back().message;
  CHECK(contains(last, "lost: what 4 failures held, the latest named \"order\", the latest at "));
  CHECK(contains(last, "(buffers_per_thread=2)"));
  CHECK(rt.losses().empty());
}

TEST_CASE("scopes that are left in a wrong order are told by name at their target") {
  manual_runtime rt;
  const logger lg = rt.get();
  auto outer = std::make_unique<error_scope>(lg, scope_options{.name = "outer"});
  auto inner = std::make_unique<error_scope>(lg, scope_options{.name = "inner"});
  outer.reset();
  inner.reset();
  const strings said = rt.losses();
  REQUIRE(said.size() == 1);
  CHECK(contains(said[0], "1 scope ended in a wrong order, the latest named \"inner\""));
  CHECK(rt.stats().scopes_abandoned == 1);
}

TEST_CASE("a scope that ends on another thread is counted and told at once, and the ledger closes, though "
          "its thread "
          "does nothing") {
  manual_runtime rt;
  const logger lg = rt.get("srv");
  lg.add_handler(rt.target);
  rt.target->set_level(level::info);
  auto scope = std::make_unique<error_scope>(lg, scope_options{.name = "request"});
  FAULTLINE_INFO(lg, "begins");
  FAULTLINE_DEBUG(lg, "detail");
  std::thread([&] { scope.reset(); }).join();
  const strings said = rt.losses();
  REQUIRE(said.size() == 1);
  CHECK(contains(said[0], "1 scope ended on another thread than entered it, the latest named \"request\""));
  CHECK(rt.stats().scopes_abandoned == 1);
  CHECK(closes(rt.stats()));
  FAULTLINE_INFO(lg, "outside every scope");
  CHECK(closes(rt.stats()) == false); // not taken yet
  rt.write_all();
  CHECK(closes(rt.stats()));
  CHECK(rt.stats().logged == 3);
  {
    FAULTLINE_SCOPE(lg, .name = "next");
    FAULTLINE_INFO(lg, "x");
  }
  rt.write_all();
  CHECK(closes(rt.stats()));
  CHECK(rt.stats().scopes_abandoned == 1); // once
}

TEST_CASE("scopes beyond the bound are told by name") {
  manual_runtime rt;
  const logger lg = rt.get();
  std::vector<std::unique_ptr<error_scope>> scopes;
  for (int i = 0; i < 34; ++i)
    scopes.push_back(std::make_unique<error_scope>(lg, scope_options{.name = "level " + std::to_string(i)}));
  const strings said = rt.losses();
  while (!scopes.empty()) scopes.pop_back();
  REQUIRE(said.size() == 1);
  CHECK(contains(said[0],
                 "2 scopes hold nothing, the latest named \"level 33\": more than 32 are open on a thread"));
}

TEST_CASE("a kind of loss is told at once, then at most once a second, and the rest at the end") {
  manual_runtime rt({.buffers_per_thread = 2});
  const logger lg = rt.get();
  const auto fail_twice = [&] {
    for (int i = 0; i < 2; ++i) {
      FAULTLINE_SCOPE(lg, .name = "order");
      FAULTLINE_ERROR(lg, "error");
    }
    rt.write_all();
  };
  fail_twice();
  CHECK(rt.losses().size() == 1);
  const auto begin = std::chrono::steady_clock::now();
  fail_twice();
  fail_twice();
  const std::size_t told = rt.losses().size();
  if (std::chrono::steady_clock::now() - begin < std::chrono::seconds(1)) CHECK(told == 1);
  CHECK(rt.get_runtime().stop());
  std::uint64_t sum = 0;
  for (const stored_record& r : rt.target->records())
    if (r.logger == "faultline") sum += std::stoull(r.message.substr(std::string_view("lost: what ").size()));
  CHECK(sum == rt.stats().contexts_refused);
}

namespace {

/// Throws while it is closed.
class throwing_handler final : public handler {
 public:
  void write(const batch& records) override {
    if (closed) throw std::runtime_error("no");
    for (const record_view& r : records) texts.emplace_back(r.message());
  }
  bool closed = true;
  strings texts;
};

} // namespace

TEST_CASE("what a handler could not write is told at the handler when it takes text again") {
  const auto own = std::make_shared<throwing_handler>();
  manual_runtime rt({.on_error = [](const error_report&) {}});
  const logger lg = rt.get();
  lg.add_handler(own);
  lg.add_handler(make_null_handler()); // it takes them, so that no record is lost everywhere
  FAULTLINE_INFO(lg, "lost");
  FAULTLINE_INFO(lg, "lost");
  rt.write_all();
  rt.write_all();
  CHECK(rt.stats().handler_errors == 1); // no line was tried at one that throws
  own->closed = false;
  FAULTLINE_INFO(lg, "written");
  rt.write_all();
  REQUIRE(own->texts.size() == 2);
  CHECK(own->texts[0] == "written");
  CHECK(contains(own->texts[1], "lost: 2 records that this handler could not write"));
  CHECK(rt.losses().empty());
}

TEST_CASE("what a handler that never takes text again has lost is told at the default target at the end") {
  const auto own = std::make_shared<throwing_handler>();
  manual_runtime rt({.on_error = [](const error_report&) {}});
  const logger lg = rt.get();
  lg.add_handler(own);
  lg.add_handler(make_null_handler());
  FAULTLINE_INFO(lg, "lost");
  CHECK(rt.losses().empty());
  (void)rt.get_runtime().stop();
  REQUIRE(rt.target->records().size() == 1);
  CHECK(contains(rt.target->records()[0].message, "lost: 1 record that another handler could not write"));
}

TEST_CASE("what a handler logs itself is told once, at the end, as the line could make it log again") {
  const logger* inside = nullptr;
  std::uint64_t calls = 0;
  manual_runtime rt({.default_target = make_callback_handler([&](const batch&) {
                       ++calls;
                       FAULTLINE_INFO(*inside, "from within");
                     })});
  const logger lg = rt.get();
  inside = &lg;
  FAULTLINE_ERROR(lg, "error");
  for (int i = 0; i < 3; ++i) rt.write_all();
  CHECK(calls == 1);
  CHECK(rt.get_runtime().stop());
  CHECK(calls == 2);
}

TEST_CASE("what no handler took is told at the default target") {
  const auto own = std::make_shared<throwing_handler>();
  manual_runtime rt({.on_error = [](const error_report&) {}});
  const logger lg = rt.get();
  lg.add_handler(own);
  FAULTLINE_INFO(lg, "lost");
  const strings said = rt.losses();
  REQUIRE(!said.empty());
  CHECK(contains(said[0], "lost: 1 record"));
  CHECK(closes(rt.stats()));
}

namespace {

/// The counts that are not zero and have no line.
strings unsaid(const runtime_stats& s, const strings& lines) {
  const std::vector<std::pair<std::uint64_t, strings>> kinds{
      {s.outbox_full, {"the outbox of a thread was full"}},
      {s.contexts_refused, {"all buffers of the thread were on their way"}},
      {s.contexts_suppressed, {"storm: the context of "}},
      {s.scopes_refused, {"hold nothing", "holds nothing"}},
      {s.scopes_abandoned, {"ended in a wrong order", "ended on another thread"}},
      {s.flusher_lost, {"that no handler took"}},
      {s.handler_lost, {"could not write"}}};
  strings missing;
  for (const auto& [count, texts] : kinds) {
    const auto is_said = [&texts = texts](const std::string& line) {
      return std::any_of(texts.begin(), texts.end(), [&](const std::string& t) { return contains(line, t); });
    };
    if (count > 0 && std::none_of(lines.begin(), lines.end(), is_said)) missing.push_back(texts.front());
  }
  return missing;
}

/// Loses in each way that a thread and a flusher can lose.
struct loser {
  loser() {
    const logger lg = rt.get("srv");
    throwing->closed = true;
    rt.get("thrown").add_handler(throwing);
    FAULTLINE_INFO(rt.get("thrown"), "nobody has it");
    rt.get("lines").add_handler(lines);
    for (int i = 0; i < 500; ++i) FAULTLINE_INFO(rt.get("lines"), "line {}", i);
    for (int i = 0; i < 5; ++i) {
      FAULTLINE_SCOPE(lg, .name = "order");
      FAULTLINE_ERROR(lg, "error {}", i);
    }
    rt.write_all();
    for (int i = 0; i < 3; ++i) {
      FAULTLINE_SCOPE(lg);
      FAULTLINE_ERROR(lg, "in a storm");
      rt.write_all();
    }
    std::vector<std::unique_ptr<error_scope>> scopes;
    for (int i = 0; i < 33; ++i) scopes.push_back(std::make_unique<error_scope>(lg));
    scopes.erase(scopes.begin() + 30); // and those inside it
    (void)rt.get_runtime().stop();
  }
  strings all_lines() const {
    strings texts;
    for (const auto& h : {rt.target, lines})
      for (const stored_record& r : h->records())
        if (r.logger == "faultline") texts.push_back(r.message);
    return texts;
  }

  const std::shared_ptr<throwing_handler> throwing = std::make_shared<throwing_handler>();
  const std::shared_ptr<memory_handler> lines = make_memory_handler();
  manual_runtime rt{{.buffers_per_thread = 2,
                     .outbox_bytes = 4096,
                     .storm_dumps_per_second = 1,
                     .storm_burst = 1,
                     .on_error = [](const error_report&) {}}};
};

} // namespace

TEST_CASE("each count of something lost that is not zero has its line") {
  const loser all;
  const runtime_stats s = all.rt.stats();
  CHECK(s.outbox_full > 0);
  CHECK(s.contexts_refused > 0);
  CHECK(s.contexts_suppressed > 0);
  CHECK(s.scopes_refused > 0);
  CHECK(s.scopes_abandoned > 0);
  CHECK(s.flusher_lost > 0);
  CHECK(s.handler_lost > 0);
  CHECK(unsaid(s, all.all_lines()).empty());
}

TEST_CASE("control: a count without its line is noticed, whichever it is") {
  const loser all;
  const strings lines = all.all_lines();
  REQUIRE(lines.size() >= 7);
  CHECK(unsaid(all.rt.stats(), {}).size() == 7);
  for (const std::string& line : lines) {
    strings others = lines;
    std::erase(others, line);
    CHECK(unsaid(all.rt.stats(), others).size() == 1);
  }
}
