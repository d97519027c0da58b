// A buffer: bounded memory for records that changes owner.
//
// States, and who performs each transition:
//
//   free ──(its thread: acquire load, plain store)──► owned ──(its thread, before the queue)──► queued
//    ▲                                                                                            │
//    └────────────(the flusher: release store)──── flushing ◄──(the flusher, after the queue)─────┘
//
// Only the owner touches anything but `state`. A buffer belongs to one thread slot for ever and goes back
// there.
//
// Records lie in segments, which are used in turn; none straddles two. A position counts bytes from the start
// of the first segment as if they went on for ever: segment number × segment size + offset.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <faultline/detail/node.hpp>
#include <faultline/level.hpp>
#include <faultline/record.hpp>

#include "base/thread_identity.hpp"
#include "buffer/context_block.hpp"
#include "buffer/publication.hpp"
#include "buffer/scope_window.hpp"

namespace faultline {
class handler;
}

namespace faultline::detail {

class thread_slot;

inline constexpr std::size_t segments_per_buffer = 4;
inline constexpr std::size_t deepest_scope = 32;

/// The room that each buffer has for pinned records.
[[nodiscard]] constexpr std::size_t pin_bytes(std::size_t segment_bytes) noexcept {
  return segment_bytes / 4;
}

/// Why a scope writes.
struct trip_cause {
  faultline::trigger trigger = faultline::trigger::level;
  std::uint32_t site = 0; ///< of the record that tripped it, 0 without one
  std::uint64_t ticks = 0;
  std::string_view reason = {}; ///< trigger::level needs none
  faultline::level level = faultline::level::error;
};

/// What one tripped scope wants written: the reader's part of a scope slot, copied.
struct trip_descriptor {
  const node_head* logger;
  handler* target;
  scope_window window;     ///< what it writes
  std::uint64_t forgotten; ///< records since the watermark that the buffer's bound made it forget, at most
  std::uint64_t start_ticks;
  std::uint8_t reason_size; ///< for trigger::level, whose reason is the level, 0
  std::array<char, 63> reason;
  context_block context;
};

struct buffer {
  ownership state;
  thread_slot* home = nullptr;
  std::byte* data = nullptr;
  buffer* next = nullptr; ///< the flusher's list of what it took

  /// Pinned records, in the order in which they were logged: | position (8) | record |. `pin_bytes` of
  /// room.
  std::byte* pins = nullptr;
  std::uint32_t pinned_bytes = 0;

  // The hand-over; written by the thread before the buffer is queued.
  std::uint64_t sequence = 0;        ///< counts the thread slot's hand-overs from 1
  std::uint64_t outbox_position = 0; ///< outbox entries before it come first
  std::uint64_t records = 0;         ///< between `from` and `to`
  std::uint64_t lost_contexts = 0;   ///< earlier contexts of the thread that were lost
  position pins_from = UINT64_MAX;   ///< pinned records before it are not part of it
  position from = 0;
  position to = 0;
  std::array<std::uint32_t, segments_per_buffer> used{}; ///< bytes of each segment that hold records
  thread_identity thread;
  faultline::trigger trigger = faultline::trigger::level;
  faultline::level level = faultline::level::error;
  bool times_are_exact = false; ///< of all records, not only of those that say so
  std::uint32_t site = 0;
  std::uint64_t trip_ticks = 0;
  std::uint32_t trips = 0;
  std::array<trip_descriptor, deepest_scope> trip;
};

/// Calls `use(record bytes, its position)` for each record in [from, to) of a buffer with these segments.
template <class Use>
void for_each_record(std::byte* data, const std::array<std::uint32_t, segments_per_buffer>& used,
                     std::size_t segment_bytes, position from, position to, Use&& use);

/// The same for the buffer's pinned records from a position on.
template <class Use> void for_each_pin(buffer& b, position from, Use&& use);

} // namespace faultline::detail

#include "record/layout.hpp"

template <class Use>
void faultline::detail::for_each_record(std::byte* data,
                                        const std::array<std::uint32_t, segments_per_buffer>& used,
                                        std::size_t segment_bytes, position from, position to, Use&& use) {
  for (position at = from; at < to;) {
    const std::uint64_t number = at / segment_bytes;
    const std::size_t index = number % segments_per_buffer;
    const std::size_t offset = at % segment_bytes;
    const position segment_end = number * segment_bytes + used[index];
    if (at >= segment_end) {
      at = (number + 1) * segment_bytes;
      continue;
    }
    std::byte* record = data + index * segment_bytes + offset;
    const std::uint32_t bytes = record_reader(record).bytes();
    if (bytes < header_bytes || at + bytes > segment_end)
      return; // never from our own writer; a damaged buffer ends here
    use(record, at);
    at += bytes;
  }
}

template <class Use> void faultline::detail::for_each_pin(buffer& b, position from, Use&& use) {
  for (std::size_t at = 0; at < b.pinned_bytes;) {
    position where = 0;
    std::memcpy(&where, b.pins + at, sizeof where);
    std::byte* const record = b.pins + at + sizeof where;
    const std::uint32_t bytes = record_reader(record).bytes();
    if (where >= from) use(record, where);
    at += sizeof where + bytes;
  }
}
