// How large the parts of a thread's memory are.
#pragma once

#include <algorithm>
#include <cstddef>

#include <faultline/detail/cursor.hpp>
#include <faultline/level.hpp>

#include "base/clock.hpp"
#include "buffer/buffer.hpp"

namespace faultline::detail {

/// Sizes that all slots of a runtime share that were made at one time: `start` changes them for later ones.
struct slot_geometry {
  std::size_t buffer_bytes;
  std::size_t buffers;
  std::size_t outbox_bytes;
  std::size_t argument_bytes;
  statement_clock statements; ///< `other` with a real clock that is no time stamp counter
  bool coarse;                ///< the flusher moves the cursors' time on
  clock_source clock;
  bool waits = false;         ///< a thread whose outbox is full waits
  bool holds_outside = false; ///< a thread holds records outside scopes, too
  bool last_resort = true;    ///< an error that no scope sees and no handler takes goes to the default target
  bool wakes = true;          ///< a thread that comes near its bounds wakes a flusher that rests

  /// So many of a thread's buffers on their way to the flusher are a reason to wake it.
  [[nodiscard]] constexpr std::size_t pressing_buffers() const noexcept {
    return std::max<std::size_t>(buffers / 8, 1);
  }
  friend bool operator==(const slot_geometry&, const slot_geometry&) = default;
  [[nodiscard]] std::size_t segment_bytes() const noexcept {
    return buffer_bytes / segments_per_buffer / 64 * 64;
  }
  [[nodiscard]] std::size_t record_bytes() const noexcept;
};

/// What concerns every statement, whatever scopes are open. Errors: the open scopes may not be theirs. (A
/// logger whose flush level is lower has its own gates for that, see registry::refresh.)
[[nodiscard]] constexpr level_mask base_mask_of(statement_clock clock) noexcept {
  return static_cast<level_mask>(not_entered | bits_from(level::error) |
                                 (clock != statement_clock::cursor ? timed : 0));
}

/// A level mask for "every statement has something to attend to": no scope is open, or one counts its
/// records.
inline constexpr level_mask every_level = 0xFF;

} // namespace faultline::detail
