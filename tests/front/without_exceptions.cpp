// Compiled with -fno-exceptions, and by tests of their own with -fno-rtti, too: all public headers, and what
// they offer there. With USE what they do not.
#include <faultline/configuration.hpp>
#include <faultline/configuration_error.hpp>
#include <faultline/faultline.hpp>
#include <faultline/journald.hpp>
#include <faultline/json_configuration.hpp>
#include <faultline/ostream.hpp>
#include <faultline/smtp.hpp>
#include <faultline/syslog.hpp>
#if __has_include(<spdlog/spdlog.h>)
#include <faultline/spdlog.hpp>
#endif
#if __has_include(<glog/logging.h>)
#include <faultline/glog.hpp>
#endif

#include "without_exceptions.hpp"

void faultline::test::log_without_exceptions(logger lg) {
  FAULTLINE_SCOPE(lg, .name = "outer");
  error_scope scope(lg, {.name = "inner", .capacity = 10});
  scope.field("order", 4711);
  FAULTLINE_DEBUG(lg, "held {}", 1);
  FAULTLINE_LOG_IF(lg, level::info, true, "chosen");
  FAULTLINE_ERROR(lg, "failed {n}", kv<"n">(2));
#ifdef USE
  (void)log_if_errors(lg, {.capacity = 5})([] {});
#endif
}
