// What is compiled without exceptions, in a file of its own.
#pragma once

#include <faultline/logger.hpp>

namespace faultline::test {

/// Three records in two scopes, the last one an error.
void log_without_exceptions(logger lg);

} // namespace faultline::test
