// What holds however little room there is.
#pragma once

#include <string>

#include "scope_model/outcome.hpp"
#include "scope_model/reference.hpp"

namespace faultline::scope_model {

/// What the outcome of a program with small buffers breaks, in words; empty when it breaks nothing:
///
///   - a handler receives a record once, and none that neither a logger nor an open scope could bring there
///   - records of the pass path and of dumps that a record caused come in the order they were logged, as do
///     the records within a dump
///   - each record that a handler at a logger wanted, or that a scope's flush level made it write, is at all
///     of those handlers or counted as one that the outbox refused
///   - of what the only open scope was to write, all is written somewhere, or lost, forgotten or suppressed
///   - the first records of a scope with pin_first, if they fit the room that is kept for them, are in the
///   dump
///   - where all scopes write when they are full, none forgets, unless a context was refused or suppressed
///   - times within a dump do not go back, and the envelope counts its records
///   - a record outside scopes that its thread holds is in no ledger before it is dealt with
///   - both ledgers close, and the counts that room has no part in are the reference's
[[nodiscard]] std::string broken(const expectation& expected, const outcome& seen);

} // namespace faultline::scope_model
