// Runs a program of scopes in the library.
#pragma once

#include "scope_model/outcome.hpp"
#include "scope_model/program.hpp"

namespace faultline::scope_model {

/// Runs the program in a runtime of its own, whose flusher runs by hand: where the program says so, at the
/// end, and where a roomy program's outbox or buffers would be used up. The calling thread keeps some of the
/// runtime's memory until it ends. Throws what the library throws.
[[nodiscard]] outcome play(const program& p);

/// The same on a thread of its own.
[[nodiscard]] outcome play_apart(const program& p);

} // namespace faultline::scope_model
