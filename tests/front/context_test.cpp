#include <array>
#include <string>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;

namespace {

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

} // namespace

TEST_CASE("every record that a scope writes shows its name, trace and fields") {
  std::string seen;
  manual_runtime rt({.default_target = make_callback_handler([&](const record_view& r) {
                       REQUIRE(r.scope != nullptr);
                       seen += std::string(r.scope->name) + '|' + std::string(r.scope->trace_id) + '|' +
                               std::string(r.scope->span_id);
                       for (const auto& f : r.scope->fields)
                         seen += '|' + std::string(f.key) + '=' + std::string(f.value);
                       seen += '\n';
                     })});
  const logger lg = rt.get();
  {
    error_scope scope(lg, {.name = "order"});
    CHECK(scope.traceparent(parent));
    scope.field("id", 4711).field("city", std::string("Köln")).field("ratio", 0.5).field("ok", true);
    FAULTLINE_ERROR(lg, "error");
  }
  rt.write_all();
  CHECK(seen ==
        "order|4bf92f3577b34da6a3ce929d0e0e4736|00f067aa0ba902b7|id=4711|city=Köln|ratio=0.5|ok=true\n");
}

TEST_CASE("a traceparent that is not valid is refused and changes nothing") {
  manual_runtime rt;
  error_scope scope(rt.get());
  CHECK_FALSE(scope.traceparent(""));
  CHECK_FALSE(scope.traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"));
  CHECK_FALSE(scope.traceparent("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  CHECK_FALSE(scope.traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  CHECK_FALSE(scope.traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  CHECK_FALSE(scope.traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  CHECK_FALSE(scope.traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x"));
  CHECK_FALSE(scope.traceparent(std::string(parent) + "-more"));
  CHECK(scope.traceparent("01" + std::string(parent.substr(2)) + "-more"));
  CHECK(scope.traceparent(parent));
}

TEST_CASE("a record of the pass path shows the innermost scope's context") {
  std::string name = "unset";
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(make_callback_handler(
      [&](const record_view& r) { name = r.scope != nullptr ? r.scope->name : "none"; }));
  FAULTLINE_INFO(lg, "outside");
  rt.write_all();
  CHECK(name == "none");
  const error_scope outer(lg, {.name = "outer"});
  const error_scope inner(lg, {.name = "inner"});
  FAULTLINE_INFO(lg, "inside");
  rt.write_all();
  CHECK(name == "inner");
}

TEST_CASE("names, reasons and fields beyond their bounds are cut, and the envelope says so") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    error_scope scope(lg, {.name = std::string(100, 'n')});
    for (int i = 0; i < 50; ++i) scope.field("key", i);
    FAULTLINE_DEBUG(lg, "held");
    scope.trip(std::string(100, 'r'));
  }
  const auto dump = rt.dumps().at(0);
  CHECK(dump.scope == std::string(63, 'n'));
  CHECK(dump.reason == std::string(58, 'r') + "[...]");
  CHECK(dump.truncated == 1);
}

TEST_CASE("names, reasons and fields are cut between characters, and text that is not UTF-8 at the byte") {
  std::string value;
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(make_callback_handler([&value](const record_view& r) { value = r.scope->fields[0].value; }));
  const auto cut = [&](const std::string& text) {
    {
      error_scope scope(lg, {.name = text});
      scope.field("text", text);
      FAULTLINE_DEBUG(lg, "held");
      scope.trip(text);
    }
    return rt.dumps().back();
  };
  std::string text; // three bytes each
  for (int i = 0; i < 40; ++i) text += "\u65e5";
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string shifted = std::string(before, 'x') + text;
    const auto whole = [&](std::size_t most) { return shifted.substr(0, most - (most - before) % 3); };
    const auto dump = cut(shifted);
    CHECK(dump.scope == whole(63));
    CHECK(dump.reason == whole(58) + "[...]");
    CHECK(value == whole(92) + "[...]");
  }
  const std::string bytes(100, '\x80');
  CHECK(cut(bytes).scope == bytes.substr(0, 63));
  CHECK(rt.dumps().back().reason == bytes.substr(0, 58) + "[...]");
}

TEST_CASE("more than eight different targets on one thread are refused and counted") {
  manual_runtime rt;
  std::vector<std::shared_ptr<memory_handler>> targets;
  const logger lg = rt.get();
  const auto nest = [&](const auto& self, int depth) -> void {
    targets.push_back(make_memory_handler());
    const error_scope scope(lg, {.target = targets.back()});
    if (depth < 10) return self(self, depth + 1);
    FAULTLINE_ERROR(lg, "error");
  };
  nest(nest, 1);
  rt.write_all();
  CHECK(rt.stats().scopes_refused == 2);
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(faultline::test::messages_of(*targets[i]).size() == (i < 8 ? 1 : 0));
}
