// Triggers: what a record, a scope's end or a call sets off on the logging thread.
#pragma once

#include <cstdint>

#include "buffer/thread_slot.hpp"
#include "front/core.hpp"

namespace faultline::detail {

/// A set of the thread's open scopes, one bit each by their place in the table.
using scope_set = std::uint32_t;
static_assert(deepest_scope <= 32, "one bit for each scope");

/// Hands the tripped scopes' records over and moves their watermarks. By pointer when every open scope
/// tripped: the thread goes on in another of its buffers. Otherwise by copy of the span from the lowest
/// tripped watermark. False when there is no free buffer or the site is in a storm: the scopes then owe their
/// context, and `cause`'s record must reach their targets alone.
bool hand_over(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept;

/// The scopes of the set are tripped by something that is no record.
void trip_without_record(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept;

} // namespace faultline::detail
