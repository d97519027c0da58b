// A thread's open scope.
#pragma once

#include <atomic>
#include <cstdint>

#include <faultline/detail/node.hpp>
#include <faultline/level.hpp>
#include <faultline/scope.hpp>

#include "buffer/buffer.hpp"
#include "buffer/context_block.hpp"

namespace faultline::detail {

/// What the end of a scope has to attend to, and what more there is of it: nothing for most.
enum scope_trait : std::uint8_t {
  scope_owes = 1,      ///< it tripped and could not hand over
  scope_special = 2,   ///< it has options that few scopes have: scope_slot::special is set
  scope_over_held = 4, ///< the outermost, and its thread holds records outside scopes
};

/// Options that few scopes have, so that entering the others costs nothing for them.
struct special_options {
  expectation expects;     ///< null: no error is expected
  std::uint64_t pin_first; ///< records that are not forgotten
  std::uint64_t pinned;    ///< of these, records dealt with when their segment was forgotten
  position pinned_to;      ///< and where these end
  bool passes_through;     ///< trip_policy::pass_through

  /// The next records are its first.
  void pin_anew() noexcept { pinned = pinned_to = 0; }
};

/// One open scope: a view on the thread's buffer.
struct scope_slot {
  const node_head* logger;
  handler* target;
  std::uint64_t start_ticks;
  std::uint64_t budget_ticks; ///< 0: none
  std::uint64_t capacity;
  position watermark;        ///< what came before it has been written, or was not this scope's
  std::uint64_t logged_mark; ///< the cursor's count at the watermark
  std::uint64_t held;        ///< visible records since the watermark; counted for full_policy::flush only
  /// Tells one use of the slot from the next. Relaxed: another thread that ends the scope compares it.
  std::atomic<std::uint32_t> serial;
  level_mask levels;          ///< levels that trip it
  level_mask outer_trip_mask; ///< the cursor's trip mask before it was entered
  std::uint8_t target_bit;
  bool counts;         ///< full_policy::flush
  bool passing;        ///< it passes through: what it sees is written at once, and it holds nothing
  std::uint8_t traits; ///< of scope_trait
  position owed_to;    ///< what it owes up to here is counted as lost
  /// 0, or the serial of the scope once it ended on another thread: it trips no more and goes when the thread
  /// next enters or leaves a scope. Relaxed: it carries nothing but itself.
  std::atomic<std::uint32_t> ended_elsewhere;
  context_block context;
  special_options special;

  [[nodiscard]] bool abandoned() const noexcept {
    return ended_elsewhere.load(std::memory_order_relaxed) == serial.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool owes() const noexcept { return (traits & scope_owes) != 0; }
  [[nodiscard]] bool is_special() const noexcept { return (traits & scope_special) != 0; }
  /// The first records that it wants besides the last.
  [[nodiscard]] std::uint64_t pin_first() const noexcept { return is_special() ? special.pin_first : 0; }
  void owe(bool owing) noexcept {
    traits = static_cast<std::uint8_t>((traits & ~scope_owes) | (owing ? scope_owes : 0));
  }
};

} // namespace faultline::detail
