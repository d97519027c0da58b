// Statements below the compile-time floor are gone, their arguments unevaluated.
#define FAULTLINE_ACTIVE_LEVEL 2
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("FAULTLINE_ACTIVE_LEVEL removes statements below it, arguments and logger unevaluated") {
  manual_runtime rt;
  int evaluated = 0;
  const auto lg = [&] {
    ++evaluated;
    return rt.get();
  };
  {
    const error_scope scope(rt.get());
    FAULTLINE_TRACE(lg(), "{}", ++evaluated);
    FAULTLINE_DEBUG(lg(), "{}", ++evaluated);
    CHECK(evaluated == 0);
    FAULTLINE_INFO(lg(), "info");
    FAULTLINE_ERROR(lg(), "error");
  }
  CHECK(evaluated == 2);
  CHECK(rt.messages() == strings{"info", "error"});
}

// At 6 all are gone, those whose level is known at run time among them.
static_assert(detail::compiled_in(level::off, 5) && !detail::compiled_in(level::off, 6));
static_assert(detail::compiled_in(level::critical, 5) && !detail::compiled_in(level::critical, 6));

TEST_CASE("FAULTLINE_ACTIVE_LEVEL removes chosen statements below it too, uncounted") {
  manual_runtime rt;
  int evaluated = 0;
  const auto number = [&] { return ++evaluated; };
  {
    const error_scope scope(rt.get());
    for (const level l : {level::debug, level::info}) {
      FAULTLINE_LOG_IF(rt.get(), l, number() > 0, "{}", number());
      FAULTLINE_LOG_ONCE(rt.get(), l, "once at {}", to_string(l));
    }
    FAULTLINE_LOG_EVERY_N(rt.get(), level::debug, number(), "{}", number());
    FAULTLINE_LOG_EVERY(rt.get(), level::trace, std::chrono::hours(number()), "{}", number());
    FAULTLINE_ERROR(rt.get(), "error");
  }
  CHECK(evaluated == 2);
  CHECK(rt.messages() == strings{"2", "once at INFO", "error"});
}
