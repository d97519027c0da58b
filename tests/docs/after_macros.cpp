// <syslog.h> and the rest come first.
#include <cstdint> // the standard library's own headers are not on trial
#include <functional>
#include <string>
#include <vector>

#include "docs/crowded_macros.hpp"

#include <faultline/faultline.hpp>
#ifdef __linux__
#include <faultline/syslog.hpp>
#endif

#include "docs/neighbours.hpp"

void log_after_crowded_macros(faultline::logger lg) {
  FAULTLINE_SCOPE(lg);
  FAULTLINE_TRACE(lg, "trace");
  FAULTLINE_DEBUG(lg, "syslog's {}", LOG_DEBUG);
  FAULTLINE_INFO(lg, "info");
  FAULTLINE_WARNING(lg, "warning");
  FAULTLINE_LOG(lg, faultline::level::error, "after {}", LOG_ERR);
}
