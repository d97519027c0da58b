// What is lost is said where people read: at the target, or the handlers of the logger.
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

/// Refuses whatever comes while it is closed, as a handler with a full spool does.
class refusing_handler final : public handler {
 public:
  void write(const batch& records) override {
    if (closed) return report_lost(records.size());
    for (const record_view& r : records) texts.emplace_back(r.message());
  }
  bool closed = false;
  strings texts;
};

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

TEST_CASE("what a handler could not write is told by the handler when it can") {
  const auto own = std::make_shared<refusing_handler>();
  manual_runtime rt({.on_error = [](const error_report&) {}});
  const logger lg = rt.get();
  lg.add_handler(own);
  FAULTLINE_INFO(lg, "written");
  rt.write_all();
  own->closed = true;
  FAULTLINE_INFO(lg, "lost");
  FAULTLINE_INFO(lg, "lost");
  (void)rt.get_runtime().run_once();
  own->closed = false;
  CHECK(rt.get_runtime().stop());
  strings others = own->texts;
  std::erase(others, "written");
  // The line of the round was lost, too, if it came while the handler refused; the end tells what is missing
  // then.
  REQUIRE(others.size() <= 1);
  if (!others.empty()) CHECK(contains(others[0], "lost: "));
  CHECK(own->lost() >= 2);
}

TEST_CASE("where the target throws at the line, the default target tells") {
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
