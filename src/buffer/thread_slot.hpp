// All of one thread's state: cursor, scopes, buffers, outbox, counts. Made once, used by thread after thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <typeinfo>

#include <faultline/detail/cursor.hpp>
#include <faultline/detail/site.hpp>
#include <faultline/level.hpp>

#include "base/mapping.hpp"
#include "buffer/buffer.hpp"
#include "buffer/buffer_supply.hpp"
#include "buffer/flusher_side.hpp"
#include "buffer/outbox.hpp"
#include "buffer/scope_slot.hpp"
#include "buffer/segment_marks.hpp"
#include "buffer/slot_counts.hpp"
#include "record/layout.hpp"

namespace faultline::detail {

struct generation;
class hand_over_producer;

class thread_slot {
 public:
  /// Maps and lays out a slot; `geometry` outlives it. Throws std::bad_alloc.
  static thread_slot* make(generation& home, const slot_geometry& geometry);
  static void destroy(thread_slot* slot) noexcept;

  // --- ownership of the slot: free ⇄ attached ---

  /// Takes the slot for the calling thread. Acquire: sees all that its last thread did.
  [[nodiscard]] bool try_attach() noexcept;
  /// Ends the thread's use: open scopes are abandoned, held records discarded. Release.
  void detach() noexcept;
  [[nodiscard]] bool attached() const noexcept { return tenancy_.held(); }

  // --- the thread's own; the cursor is closed while they run ---

  [[nodiscard]] cursor& place() noexcept { return *cursor_; }
  /// Whether that record is all that is held.
  [[nodiscard]] bool holds_only(const std::byte* r) const noexcept {
    return r == current_->data && segment_ == 0;
  }
  [[nodiscard]] position here() const noexcept { return here(*cursor_); }
  [[nodiscard]] position here(const cursor& c) const noexcept {
    return origin_ + static_cast<std::size_t>(c.head - current_->data);
  }
  /// The open scopes; while there is none the one for records outside scopes, if the thread holds those.
  [[nodiscard]] std::span<scope_slot> scopes() noexcept {
    if (depth_ == 0) [[unlikely]]
      return {&outside_, std::size_t{holds_outside_ ? 1U : 0U}};
    return {scopes_.data(), depth_};
  }
  [[nodiscard]] bool in_scope() const noexcept { return depth_ > 0; }
  /// For a scope that ends on another thread: the one thing another thread may touch, `ended_elsewhere`.
  [[nodiscard]] scope_slot& scope_at(std::uint32_t index) noexcept { return scopes_[index]; }
  /// A place for a scope, after the abandoned ones on top are gone; null when the table is full.
  [[nodiscard]] scope_slot* push_scope() noexcept;
  /// The same for the outermost scope, which always has one.
  [[nodiscard]] scope_slot& push_first_scope(std::uint32_t& serial) noexcept {
    supply_.prefetch(); // the flusher wrote its state: should the scope trip, it is here
    depth_ = 1;
    scope_slot& scope = scopes_[0];
    scope.serial.store(serial = next_serial_++, std::memory_order_relaxed);
    if (next_serial_ == 0) [[unlikely]]
      next_serial_ = 1;
    return scope;
  }
  /// Whether the scope is the only one and its end asks for no more than `pop_only_scope`: nothing it held
  /// was settled, in the buffer's first segment.
  [[nodiscard]] bool may_pop_only_scope(std::uint32_t serial) const noexcept {
    const scope_slot& scope = scopes_[0];
    return depth_ == 1 && scope.serial.load(std::memory_order_relaxed) == serial && scope.budget_ticks == 0 &&
           scope.traits == 0 && is_plain();
  }
  void pop_only_scope(cursor& c) noexcept {
    c.trip_mask = scopes_[0].outer_trip_mask;
    depth_ = 0;
    rewind_plain(c);
    counts.logged.store(c.logged, std::memory_order_relaxed);
  }
  /// Takes away the scopes from `index` on; of those that are not `ended` each counts as abandoned.
  void pop_scopes(std::size_t index, std::uint32_t ended) noexcept;
  [[nodiscard]] buffer* free_buffer() noexcept { return supply_.find_free(hand_overs, flusher.written); }
  [[nodiscard]] bool is_short_of_buffers(bool& none_left) noexcept {
    return supply_.is_short(hand_overs, flusher.written, none_left);
  }
  [[nodiscard]] buffer& current() noexcept { return *current_; }

  // Records outside scopes, where they are held. `outside_` is their scope, and takes part while no other is
  // open. One that is entered marks where they end, and its end takes the buffer back to there; a hand-over
  // that leaves with the buffer discards them. In outside_scopes.cpp.

  /// From now on the thread, which just attached, holds them, for that logger and target.
  void hold_outside(const node_head& logger, handler& target, std::uint64_t now) noexcept;
  [[nodiscard]] bool holds_outside() const noexcept { return holds_outside_; }
  /// Whether the innermost open scope has ended on another thread.
  [[nodiscard]] bool has_abandoned_scope() const noexcept {
    return depth_ > 0 && scopes_[depth_ - 1].abandoned();
  }
  /// Takes away the innermost scopes that have ended on other threads; what they held goes with the next end
  /// of a scope or a statement outside any, or is held on outside scopes.
  void leave_abandoned_scopes() noexcept;
  /// All that is held has times of its own.
  [[nodiscard]] bool times_are_exact() const noexcept {
    return cursor_->clock != statement_clock::cursor && !outside_has_scopes_times_;
  }
  /// A statement outside scopes ends.
  void end_statement() noexcept {
    if (!holds_outside_) rewind();
    publish_counts();
  }

  /// Goes on in the next segment. When that one holds records they are forgotten.
  [[nodiscard]] bool next_segment_forgets() const noexcept {
    return segment_ + 1 >= oldest_ + segments_per_buffer;
  }
  void next_segment() noexcept;

  /// Forgets all that is held: the end of the outermost scope, or of a statement outside any.
  void rewind() noexcept {
    if (is_plain()) [[likely]]
      rewind_plain(*cursor_);
    else
      rewind_segments();
  }

  /// The end of a statement outside any scope whose record was dealt with: nothing is held.
  void rewind_settled() noexcept {
    marks_[0].first_logged = cursor_->logged;
    cursor_->head = current_->data;
    counts.logged.store(cursor_->logged, std::memory_order_relaxed);
  }
  /// Classes of the ledger. A record is settled once; a later hand-over outranks what it was before.
  void settle_passed(record_reader& record) noexcept;
  void settle_lost(record_reader& record) noexcept;
  /// All records from the position on are in a hand-over that left them here as well.
  void settle_copied(position from) noexcept;
  /// Records before a position beyond the oldest one, which no hand-over from there takes along.
  [[nodiscard]] unsettled_records unsettled_before(position from) noexcept;
  /// The current buffer left with its records but those `before`; another takes its place.
  void settle_moved(buffer& successor, const unsettled_records& before) noexcept {
    if (is_plain() && before.is_empty()) [[likely]]
      add(counts.handed_over, cursor_->logged - marks_[0].first_logged);
    else
      settle_partly_moved(before);
    use(successor);
  }

  /// Calls `use(record_reader&, position)` for each held record from the position on, oldest first.
  template <class Use> void for_each_held(position from, Use&& use) noexcept {
    note_used();
    for_each_record(current_->data, current_->used, segment_bytes_, from, here(),
                    [&use](std::byte* at, position where) {
                      record_reader record(at);
                      use(record, where);
                    });
  }

  // Pinned records: copies of those that scopes want although their segment is forgotten, in a place of the
  // buffer's own, of a quarter of a segment. The ledger counts them as forgotten until a hand-over takes
  // them.

  /// Keeps a record of the oldest segment, from that position. False when there is no room.
  bool pin(const record_reader& record, position at) noexcept;
  /// Makes room: nobody wants pinned records before that position.
  void drop_pins_before(position from) noexcept;
  /// Calls `use(record_reader&, position)` for each record of the oldest segment.
  template <class Use> void for_each_in_oldest(Use&& use) noexcept {
    note_used();
    for_each_record(current_->data, current_->used, segment_bytes_, oldest_position(),
                    oldest_position() + segment_bytes_, [&use](std::byte* record, position at) {
                      record_reader reader(record);
                      use(reader, at);
                    });
  }
  /// The same for each pinned record from the position on.
  template <class Use> void for_each_pin(position from, Use&& use) noexcept {
    detail::for_each_pin(*current_, from, [&use](std::byte* record, position at) {
      record_reader reader(record);
      use(reader, at);
    });
  }
  /// How many there are between two positions.
  [[nodiscard]] std::uint64_t count_pins(position from, position to) noexcept;
  /// Those from the position on are to be part of the hand-over that is being prepared.
  void take_pins(buffer& leaving, position from) noexcept;
  /// It was accepted; `here` when the buffer did not leave with it.
  void settle_pins(bool here) noexcept;
  /// They should have been written and were not.
  void lose_pins(position from) noexcept;

  /// Copies the records from the position on into another buffer of this slot, at the same positions.
  void copy_span(position from, buffer& destination) noexcept;
  /// Notes in the current buffer which bytes of it hold records, before somebody else reads them.
  void note_used() noexcept {
    current_->used[segment_ % segments_per_buffer] =
        static_cast<std::uint32_t>(cursor_->head - (cursor_->end - segment_bytes_));
  }
  /// The first position that is not forgotten.
  [[nodiscard]] position oldest_position() const noexcept { return oldest_ * segment_bytes_; }
  /// The cursor's count at that position.
  [[nodiscard]] std::uint64_t oldest_logged() const noexcept {
    return marks_[oldest_ % segments_per_buffer].first_logged;
  }
  [[nodiscard]] std::size_t segment_bytes() const noexcept { return segment_bytes_; }

  /// For clock_kind::coarse, by the flusher: the thread's records are no older than that from now on; nor
  /// later than `implausible`, which only a counter that stepped back makes them.
  void advance_time(std::uint64_t ticks, std::uint64_t implausible) noexcept;

  /// Whoever looks sees the records that were dealt with, and those alone.
  void publish_counts() noexcept {
    counts.logged.store(cursor_->logged, std::memory_order_relaxed);
    counts.held.store(is_plain() ? live() : unsettled(), std::memory_order_relaxed);
  }
  // Plain state of the thread.
  generation* home = nullptr;
  const core_head* owner = nullptr;
  hand_over_producer* producer = nullptr; ///< recycled with the slot
  outbox out;
  slot_counts counts;
  std::uint64_t hand_overs = 0;    ///< the thread's count; `hand_overs_published` is what the flusher reads
  std::uint64_t lost_contexts = 0; ///< to be told by the next dump
  thread_identity thread;
  thread_slot* next_of_thread = nullptr;         ///< the thread's slot in another runtime
  const unsigned* uncaught_exceptions = nullptr; ///< the thread's count, in the C++ ABI's globals
  bool some_special = false;                     ///< an open scope is special
  bool exception_escapes = false;                ///< the record being logged is `call failed`
  const std::type_info* escaping_type = nullptr; ///< the type of that exception, where it is known
  hand_over_count hand_overs_published;

  // --- the flusher's own ---
  alignas(64) flusher_side flusher;
  thread_slot* next = nullptr; ///< the generation's list; written before the slot is published

  [[nodiscard]] const slot_geometry& geometry() const noexcept { return *geometry_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_.size(); }

 private:
  thread_slot() noexcept = default;
  void use(buffer& b) noexcept {
    current_ = &b;
    supply_.expect_to_leave(b);
    b.pinned_bytes = 0;
    oldest_ = 0;
    start_segment(0);
    if (holds_outside_ && depth_ > 0) [[unlikely]]
      discard_outside();
  }
  void start_segment(std::uint64_t number) noexcept {
    segment_ = number;
    const std::size_t index = number % segments_per_buffer;
    origin_ = (number - index) * segment_bytes_;
    cursor_->head = current_->data + index * segment_bytes_;
    cursor_->end = cursor_->head + segment_bytes_;
    marks(number) = {cursor_->logged, 0, 0, 0};
  }
  void settle_partly_moved(const unsettled_records& before) noexcept;
  void rewind_segments() noexcept;
  /// Nothing of what is held was settled otherwise, and it is in the first segment of the buffer.
  [[nodiscard]] bool is_plain() const noexcept { return segment_ == 0 && marks_[0].settled() == 0; }
  void rewind_plain(cursor& c) noexcept {
    segment_marks& first = marks_[0];
    add(counts.discarded, c.logged - first.first_logged);
    first.first_logged = c.logged;
    c.head = current_->data;
  }
  bool drop_abandoned_scopes() noexcept; // true when there is room for one more scope
  [[nodiscard]] std::uint64_t live() const noexcept {
    return cursor_->logged - marks_[oldest_ % segments_per_buffer].first_logged;
  }
  [[nodiscard]] std::uint64_t unsettled() noexcept;
  void take_away_scopes(std::size_t index, std::uint32_t ended) noexcept;
  void note_abandoned(scope_slot& scope, std::uint32_t serial) noexcept;
  void enter_outside() noexcept;
  void leave_outside() noexcept;
  void rewind_to_outside() noexcept;
  void discard_outside() noexcept;

  [[nodiscard]] segment_marks& marks(std::uint64_t number) noexcept {
    return marks_[number % segments_per_buffer];
  }
  [[nodiscard]] segment_marks& marks_of(const std::byte* record) noexcept {
    return marks_[static_cast<std::size_t>(record - current_->data) / segment_bytes_];
  }

  struct {
    position from = 0;
    unsettled_records unsettled;
  } taken_pins_; // into the hand-over that is being prepared, by what the ledger has of them
  cursor* cursor_ = nullptr;
  buffer* current_ = nullptr;
  const slot_geometry* geometry_ = nullptr;
  buffer_supply supply_;
  std::size_t segment_bytes_ = 0;
  position origin_ = 0;       // the position of current_->data if it went on for ever
  std::uint64_t segment_ = 0; // number of the segment being written
  std::uint64_t oldest_ = 0;  // number of the oldest one whose records are not forgotten
  std::array<segment_marks, segments_per_buffer> marks_{};
  std::size_t depth_ = 0;
  std::uint32_t next_serial_ = 1;
  bool holds_outside_ = false;
  bool outside_has_scopes_times_ = false; // not all that is held outside scopes read the clock
  std::array<scope_slot, deepest_scope> scopes_;
  statement_clock scope_clock_ = statement_clock::cursor;
  statement_clock outside_clock_ = statement_clock::cursor;
  scope_slot outside_;
  struct {                 // where the records outside scopes end, while a scope is open
    std::uint64_t segment; // number
    std::byte* head;
    std::uint64_t logged;
    segment_marks marks; // of that segment
  } outside_end_{};
  tenancy tenancy_;
  mapping memory_;
};

} // namespace faultline::detail
