// Whether the library does with a program what the reference does.
#pragma once

#include <string>

#include "scope_model/outcome.hpp"
#include "scope_model/program.hpp"
#include "scope_model/reference.hpp"

namespace faultline::scope_model {

/// What is wrong with that outcome of the program, in words; empty when nothing is. It is compared to the
/// letter if the program had room for all it logged, otherwise by the invariants.
[[nodiscard]] std::string wrong_with(const program& p, const expectation& expected, const outcome& seen);

/// The same of the library's outcome, which is played.
[[nodiscard]] std::string wrong_with(const program& p, mistake in_reference = mistake::none);

} // namespace faultline::scope_model
