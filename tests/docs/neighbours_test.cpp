// faultline shares a source file with headers and macros that are known to get in the way.
#include "docs/neighbours.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE(
    "a file that has <syslog.h> and macros such as DEBUG, INFO, ERROR and LOG logs, whatever comes first") {
  manual_runtime rt;
  log_after_crowded_macros(rt.get());
  CHECK(rt.messages() == strings{"syslog's 7", "info", "warning", "after 3"});
  rt.target->clear();
  log_before_crowded_macros(rt.get());
  CHECK(rt.messages() == strings{"syslog's 7", "info", "warning", "before 2"});
}

TEST_CASE("a file that uses fmt header-only logs, ranges included") {
  manual_runtime rt;
  log_with_header_only_fmt(rt.get());
  CHECK(rt.messages() == strings{"   7 and [1, 2]", "header-only 0.5"});
}
