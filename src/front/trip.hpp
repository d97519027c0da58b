// Triggers: what a record, a scope's end or a call sets off on the logging thread.
#pragma once

#include <cstdint>

#include "buffer/thread_slot.hpp"
#include "front/core.hpp"
#include "front/trip_decision.hpp"

namespace faultline::detail {

/// What became of a hand-over.
enum class hand_over_result : std::uint8_t {
  refused, ///< no free buffer, or a storm: the scopes owe their context, and the tripping record must reach
           ///< their targets alone
  copied,  ///< the records are still in the thread's buffer
  moved,   ///< the buffer left with its records; the thread goes on in another
};

/// A reading of the runtime's real clock.
[[nodiscard]] inline std::uint64_t read_clock(const cursor& c) noexcept {
  return read_ticks(c.has_tsc ? clock_source::tsc : clock_source::monotonic);
}

/// Reads the real clock; from now on it is what the cursor says.
inline std::uint64_t note_time(cursor& c) noexcept {
  const std::uint64_t now = read_clock(c);
  c.time.store(now, std::memory_order_relaxed);
  return now;
}

/// Hands the tripped scopes' records over and moves their watermarks: by pointer when every open scope
/// tripped, otherwise by copy of the span from the lowest tripped watermark. Waits for nobody.
hand_over_result hand_over(thread_slot& slot, const trip_decision& d, const trip_cause& cause) noexcept;

/// Scopes that were entered with the default target of before `start` have the present one from now on, as
/// records for the former go there: a record that the one scope writes is not written there again by another.
void adopt_default_target(thread_slot& slot) noexcept;
inline void follow_default_target(thread_slot& slot) noexcept {
  if (slot.home->owner.has_former_target()) [[unlikely]]
    adopt_default_target(slot);
}

/// The segment has no room for so many bytes: goes on in the next one, forgetting what it held. False when
/// the record can never fit. The cursor is closed.
bool make_room(cursor& c, std::size_t bytes) noexcept;

/// Scopes are tripped by something that is no record.
void trip_without_record(thread_slot& slot, trip_decision d, const trip_cause& cause) noexcept;

} // namespace faultline::detail
