// All of faultline. Call sites need only <faultline/log.hpp>.
#pragma once

#include <faultline/configuration_error.hpp>
#include <faultline/fields.hpp>
#include <faultline/formatter.hpp>
#include <faultline/handler.hpp>
#include <faultline/handlers.hpp>
#include <faultline/hex.hpp>
#include <faultline/kv.hpp>
#include <faultline/level.hpp>
#include <faultline/log.hpp>
#include <faultline/logger.hpp>
#include <faultline/record.hpp>
#include <faultline/runtime.hpp>
#include <faultline/scope.hpp>
#include <faultline/secret.hpp>
#include <faultline/statements.hpp>
#include <faultline/trace.hpp>

/// The public names. Those of `faultline::detail` are for the headers' own use.
namespace faultline {}
