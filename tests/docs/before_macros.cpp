// faultline's headers come first, and its macros are used where the others are defined.
#include <faultline/faultline.hpp>

#include "docs/crowded_macros.hpp"
#include "docs/neighbours.hpp"

void log_before_crowded_macros(faultline::logger lg) {
  FAULTLINE_SCOPE(lg);
  FAULTLINE_TRACE(lg, "trace");
  FAULTLINE_DEBUG(lg, "syslog's {}", LOG_DEBUG);
  FAULTLINE_INFO(lg, "info");
  FAULTLINE_WARNING(lg, "warning");
  FAULTLINE_CRITICAL(lg, "before {}", LOG_CRIT);
}
