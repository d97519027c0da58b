// Source files that share their names with others: each logs one error in a scope of the given logger.
#pragma once

namespace faultline {
class logger;
}

/// <syslog.h> and macros with the names of levels come before faultline's headers.
void log_after_crowded_macros(faultline::logger lg);
/// They come after.
void log_before_crowded_macros(faultline::logger lg);
/// fmt is used header-only in this file, and another fmt formatter stands beside.
void log_with_header_only_fmt(faultline::logger lg);
