// The public headers beside <syslog.h> and other people's macros, defined before they are included and after.
#include "support/catch.hpp" // has an INFO of its own

#undef INFO

#include <syslog.h>

#define TRACE 10
#define DEBUG 11
#define INFO 12
#define WARNING 13
#define ERROR 14
#define CRITICAL 15
#define LOG_IF(...) this is not C++
#define LOG_EVERY_N(...) this is not C++
#define LOG_FIRST_N(...) this is not C++

#include "support/manual_runtime.hpp"

#undef DEBUG
#undef INFO
#undef ERROR
#define DEBUG "after"
#define INFO "after"
#define ERROR "after"
#define EVERY "after"
#define ONCE "after"
#define EXCEPTION "after"

TEST_CASE("statements work beside macros named after levels, and beside syslog.h") {
  faultline::test::manual_runtime rt;
  const faultline::logger lg = rt.get();
  {
    const faultline::error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "debug {}", LOG_DEBUG);
    FAULTLINE_INFO(lg, "info " INFO);
    FAULTLINE_LOG(lg, faultline::level::info, "log {}", DEBUG);
    FAULTLINE_LOG_IF(lg, faultline::level::warning, LOG_ERR == 3, "if {}", LOG_ERR);
    FAULTLINE_LOG_EVERY_N(lg, faultline::level::warning, 2, "every");
    FAULTLINE_LOG_ONCE(lg, faultline::level::warning, "once");
    FAULTLINE_LOG_EVERY(lg, faultline::level::warning, std::chrono::hours(1), "limited");
    FAULTLINE_EXCEPTION(lg, "error {}", LOG_EMERG);
  }
  CHECK(rt.messages() == faultline::test::strings{"debug 7", "info after", "log after", "if 3", "every",
                                                  "once", "limited", "error 0"});
}
