// Records outside scopes, of a thread that holds them: the one scope more that stands for them.
#include <faultline/scope.hpp>

#include "buffer/thread_slot.hpp"

namespace faultline::detail {

void thread_slot::hold_outside(const node_head& logger, handler& target, std::uint64_t now) noexcept {
  holds_outside_ = true;
  outside_.logger = &logger;
  outside_.target = &target;
  outside_.start_ticks = now;
  outside_.budget_ticks = 0;
  outside_.capacity = scope_options::default_capacity;
  outside_.serial.store(0, std::memory_order_relaxed); // no scope's
  outside_.target_bit = 1;
  outside_.counts = false;
  outside_.passing = false;
  outside_.traits = 0;
  outside_.ended_elsewhere.store(1, std::memory_order_relaxed); // never
  outside_.context.reset({});
  discard_outside();
  enter_outside();
}

/// The thread's own records outside scopes come from here on.
void thread_slot::enter_outside() noexcept {
  outside_.levels = outside_.logger->flush_mask.load(std::memory_order_relaxed);
  cursor_->clock = outside_clock_;
  // An error is looked at in any scope: those that are open may have ended on other threads.
  cursor_->base_mask = static_cast<level_mask>(base_mask_of(scope_clock_) | outside_.levels);
  cursor_->trip_mask = static_cast<level_mask>(cursor_->base_mask | timed);
}

/// The outermost scope is about to be entered.
void thread_slot::leave_outside() noexcept {
  cursor_->clock = scope_clock_;
  outside_end_ = {segment_, cursor_->head, cursor_->logged, marks(segment_)};
}

/// Nothing is held outside scopes any more: the buffer is new, or what it held has been dealt with.
void thread_slot::discard_outside() noexcept {
  if (outside_.owes()) ++lost_contexts;
  outside_.owe(false);
  outside_.owed_to = 0;
  outside_.held = 0;
  outside_has_scopes_times_ = false;
  outside_.watermark = here();
  outside_.logged_mark = cursor_->logged;
  outside_end_ = {segment_, cursor_->head, cursor_->logged, marks(segment_)};
}

/// The outermost scope ends: the buffer is as it was before, but for what it had to forget meanwhile.
void thread_slot::rewind_to_outside() noexcept {
  const std::uint64_t taken_back = cursor_->logged - outside_end_.logged;
  if (outside_end_.segment < oldest_) {
    rewind_segments();
    outside_.watermark = here();
    outside_.owed_to = 0; // positions begin anew
  } else {
    std::uint64_t discarded = taken_back + outside_end_.marks.settled();
    for (std::uint64_t n = outside_end_.segment; n <= segment_; ++n) discarded -= marks(n).settled();
    add(counts.discarded, discarded);
    current_->pinned_bytes = 0;
    start_segment(outside_end_.segment);
    cursor_->head = outside_end_.head;
    marks(segment_) = outside_end_.marks;
    // Counts say how many records lie between: as if those that are gone had come before all of them.
    for (std::uint64_t n = oldest_; n <= segment_; ++n) marks(n).first_logged += taken_back;
  }
  outside_.logged_mark += taken_back;
  enter_outside();
}

} // namespace faultline::detail
