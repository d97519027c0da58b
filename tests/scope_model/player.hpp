// Runs a program of scopes in the library.
#pragma once

#include "scope_model/outcome.hpp"
#include "scope_model/program.hpp"

namespace faultline::scope_model {

/// Runs the program on a thread of its own in a runtime of its own, whose flusher runs by hand: where the
/// program says so, at the end, and where a roomy program's outbox or buffers would be used up. Throws what
/// the library throws.
[[nodiscard]] outcome play(const program& p);

} // namespace faultline::scope_model
