// A logger at namespace scope before its dynamic initialisation: zeros.
#include <cstddef>
#include <string>

#include <faultline/ostream.hpp>

#include "front/core.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using faultline::test::manual_runtime;
using faultline::test::strings;
using enum faultline::level;

namespace {

/// As the loader leaves it.
const faultline::logger& unmade() {
  alignas(faultline::logger) static constinit std::byte zeros[sizeof(faultline::logger)]{};
  return *reinterpret_cast<const faultline::logger*>(zeros);
}

/// The option and the reason of the error that `change` throws.
template <class Change> std::string error_of(Change change) {
  try {
    change();
  } catch (const faultline::configuration_error& e) {
    return e.what();
  }
  return "none";
}

} // namespace

TEST_CASE("statements of a logger that is not made yet make no record, and evaluate no argument") {
  const faultline::logger& lg = unmade();
  int evaluated = 0;
  FAULTLINE_TRACE(lg, "{}", ++evaluated);
  FAULTLINE_CRITICAL(lg, "{}", ++evaluated);
  FAULTLINE_LOG(lg, critical, "{}", ++evaluated);
  FAULTLINE_LOG(lg, off, "{}", ++evaluated);
  FAULTLINE_LOG_ONCE(lg, critical, "{}", ++evaluated);
  FAULTLINE_LOG_EVERY(lg, critical, std::chrono::hours(1), "{}", ++evaluated);
  FAULTLINE_EXCEPTION(lg, "{}", ++evaluated);
  FAULTLINE_STREAM(lg, critical) << ++evaluated;
  faultline::log_ostream(lg, critical) << "a line\n";
  CHECK(evaluated == 0);
}

TEST_CASE("a logger that is not made yet is off, and has no name") {
  const faultline::logger& lg = unmade();
  CHECK(lg.name().empty());
  CHECK(lg.effective_level() == off);
  CHECK_FALSE(lg.enabled(critical));
  const faultline::logger copy = lg;
  CHECK(copy == lg);
  manual_runtime rt;
  CHECK_FALSE(rt.get() == lg);
}

TEST_CASE("a scope of a logger that is not made yet holds nothing, whatever its options") {
  manual_runtime rt;
  const faultline::logger& lg = unmade();
  const faultline::logger made = rt.get();
  const faultline::handler_ptr target = faultline::make_memory_handler();
  for (int attached = 0; attached < 2; ++attached) { // a thread of no runtime, then one whose cursor is open
    faultline::error_scope plain(lg);
    faultline::error_scope scope(lg, {.name = "early",
                                      .target = target,
                                      .after_trip = faultline::trip_policy::pass_through,
                                      .budget = std::chrono::nanoseconds(1)});
    scope.field("order", 4711).trace({1}, {2});
    CHECK(scope.traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    FAULTLINE_ERROR(lg, "failed");
    scope.trip("reason");
    plain.fail_by_result();
    const faultline::error_scope other(made);
    FAULTLINE_ERROR(made, "of a logger that is made");
  }
  try {
    const faultline::error_scope scope(lg);
    throw std::runtime_error("leaves it");
  } catch (const std::runtime_error&) {
    FAULTLINE_EXCEPTION(lg, "caught");
  }
  CHECK(rt.messages() == strings{"of a logger that is made", "of a logger that is made"});
  const auto s = rt.stats();
  CHECK(s.scopes_refused == 0);
  CHECK(faultline::test::closes(s));
}

TEST_CASE(
    "a scope of a logger that is not made yet is none in a signal handler that interrupts a statement, too") {
  manual_runtime rt;
  {
    const faultline::error_scope scope(rt.get()); // attaches the thread
  }
  faultline::detail::cursor& c = *faultline::detail::current_cursor;
  const faultline::detail::closed_section closed(*c.slot, c);
  const faultline::error_scope scope(unmade());
  CHECK_FALSE(c.slot->in_scope());
}

TEST_CASE("what would change a logger that is not made yet says so") {
  const faultline::logger& lg = unmade();
  const std::string expected =
      "logger: '': it is used before it was made, by a static object of another file";
  CHECK(error_of([&] { lg.set_level(info); }) == expected);
  CHECK(error_of([&] { lg.inherit_level(); }) == expected);
  CHECK(error_of([&] { lg.set_flush_level(info); }) == expected);
  CHECK(error_of([&] { lg.inherit_flush_level(); }) == expected);
  CHECK(error_of([&] { lg.set_propagate(false); }) == expected);
  CHECK(error_of([&] { lg.add_handler(faultline::make_null_handler()); }) == expected);
  CHECK(error_of([&] { lg.remove_handler(faultline::make_null_handler()); }) == expected);
  CHECK(error_of([&] { (void)faultline::log_if_errors(lg, {.capacity = 5}); }) == expected);
}
