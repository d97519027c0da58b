#include "front/trip.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "base/test_point.hpp"
#include "base/whole_characters.hpp"
#include "front/pins.hpp"
#include "record/layout.hpp"

namespace faultline::detail {
namespace {

const node& node_of(const node_head* head) noexcept { return static_cast<const node&>(*head); }

/// The tripped scopes in the order in which they write: nearest logger first, that is deepest, as all are
/// ancestors of one; on the same logger, first entered first.
std::size_t in_order(thread_slot& slot, scope_set tripped,
                     std::array<scope_slot*, deepest_scope>& out) noexcept {
  std::size_t count = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    if ((tripped & bit_of_scope(i)) == 0) continue;
    std::size_t at = count++;
    for (; at > 0 && node_of(out[at - 1]->logger).depth < node_of(scopes[i].logger).depth; --at)
      out[at] = out[at - 1];
    out[at] = &scopes[i];
  }
  return count;
}

/// All open scopes that could still want what the buffer holds.
scope_set all_open(thread_slot& slot) noexcept {
  scope_set all = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if (!scopes[i].abandoned()) all |= bit_of_scope(i);
  return all;
}

/// What the scope writes if it trips now. Written in place, field by field: this is every failure's time.
[[gnu::always_inline]] inline void set_window(thread_slot& slot, const scope_slot& scope,
                                              scope_window& window) noexcept {
  const bool pins = scope.pin_first() != 0;
  window.from = std::max(scope.watermark, slot.oldest_position());
  window.pins_from = scope.watermark;
  window.pins_to = pins ? scope.special.pinned_to : 0;
  window.first = pins ? scope.special.pin_first - scope.special.pinned : 0;
  window.capacity = scope.counts ? UINT64_MAX : scope.capacity; // full_policy::flush: all it holds
  window.target_bit = scope.target_bit;
}

scope_window window_of(thread_slot& slot, const scope_slot& scope) noexcept {
  scope_window window;
  set_window(slot, scope, window);
  return window;
}

[[gnu::always_inline]] inline void describe(thread_slot& slot, const scope_slot& scope,
                                            std::string_view reason, trip_descriptor& out) noexcept {
  out.logger = scope.logger;
  out.target = scope.target;
  set_window(slot, scope, out.window);
  const std::uint64_t oldest = slot.oldest_logged();
  out.forgotten = oldest > scope.logged_mark ? oldest - scope.logged_mark : 0;
  if (out.window.pins_to != 0)
    out.forgotten -= std::min(out.forgotten, slot.count_pins(scope.watermark, out.window.pins_to));
  out.start_ticks = scope.start_ticks;
  constexpr std::string_view mark = "[...]";
  const bool cut = reason.size() > out.reason.size();
  if (cut) [[unlikely]]
    reason = whole_characters(reason, out.reason.size() - mark.size());
  out.reason_size = static_cast<std::uint8_t>(reason.size());
  if (out.reason_size > 0) std::memcpy(out.reason.data(), reason.data(), out.reason_size);
  if (cut) [[unlikely]] {
    std::memcpy(out.reason.data() + out.reason_size, mark.data(), mark.size());
    out.reason_size = static_cast<std::uint8_t>(out.reason_size + mark.size());
  }
  scope.context.copy_to(&out.context);
}

/// Another open scope with the same target stays behind: it must not write again what this one writes now.
bool shares_target(thread_slot& slot, const scope_slot& scope, scope_set tripped) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if ((tripped & bit_of_scope(i)) == 0 && !scopes[i].abandoned() && scopes[i].target == scope.target)
      return true;
  return false;
}

/// Calls `use(record_reader&, position)` for each record that the scope sees and may write.
template <class Use> void for_each_seen(thread_slot& slot, const scope_slot& scope, Use&& use) noexcept {
  const registry& loggers = slot.home->owner.loggers;
  const auto if_seen = [&](record_reader& r, position where) {
    const node* n = loggers.find(r.logger());
    if (n != nullptr && n->reaches(*scope.logger)) use(r, where);
  };
  if (scope.pin_first() != 0) slot.for_each_pin(scope.watermark, if_seen);
  slot.for_each_held(std::max(scope.watermark, slot.oldest_position()), if_seen);
}

/// Marks what the tripped scopes write to targets that other open scopes have as well.
void mark_written(thread_slot& slot, std::span<scope_slot* const> scopes, scope_set tripped) noexcept {
  std::array<written_part, deepest_scope> parts; // found before anything is marked: scopes may share a target
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if (shares_target(slot, *scopes[i], tripped))
      parts[i] = part_of(window_of(slot, *scopes[i]), [&](auto&& use) {
        for_each_seen(slot, *scopes[i], [&use](record_reader&, position where) { use(where); });
      });
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    const scope_window window = window_of(slot, *scopes[i]);
    if (parts[i].is_empty()) continue;
    for_each_seen(slot, *scopes[i], [&](record_reader& r, position where) {
      if (window.holds(where) && parts[i].has(where)) r.set_targets(window.target_bit);
    });
  }
}

/// The scopes tripped and cannot hand over. They go on holding what they hold, so that a later trip tells it
/// after all; until then it counts as lost.
void owe(thread_slot& slot, scope_set tripped) noexcept {
  position from = UINT64_MAX;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    if ((tripped & bit_of_scope(i)) == 0) continue;
    from = std::min(from, std::max(scopes[i].watermark, scopes[i].owed_to));
    scopes[i].owed_to = slot.here();
    scopes[i].owe(true);
    scopes[i].held = 0;
  }
  slot.for_each_held(std::max(from, slot.oldest_position()),
                     [&slot](record_reader& r, position) { slot.settle_lost(r); });
  if (slot.some_special) slot.lose_pins(first_pin(slot, tripped));
  slot.publish_counts();
}

/// Scopes that failed and pass through do so from now on: each record concerns them, and goes on doing so
/// when a scope inside them has ended.
[[gnu::noinline]] void begin_passing(thread_slot& slot, scope_set failed) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    if ((failed & bit_of_scope(i)) == 0 || !scope.is_special() || !scope.special.passes_through ||
        scope.passing)
      continue;
    scope.passing = true;
    slot.place().trip_mask = every_level;
    for (scope_slot& inner : scopes.subspan(i + 1)) inner.outer_trip_mask = every_level;
  }
}

/// For want of a buffer.
[[gnu::noinline]] hand_over_result refuse(thread_slot& slot, const trip_decision& d,
                                          const trip_cause& cause) noexcept {
  owe(slot, d.tripped);
  begin_passing(slot, d.failed);
  const scope_slot& first = slot.scopes()[static_cast<std::size_t>(std::countr_zero(d.tripped))];
  loss latest{.site = cause.site, .logger = first.logger->id, .target = first.target};
  copy_name(first.context.name(), latest);
  slot.counts.note_loss(loss_kind::no_buffer, latest);
  return hand_over_result::refused;
}

/// Fills in the hand-over in `b`, whose records are in place.
[[gnu::always_inline]] inline void address(thread_slot& slot, buffer& b, std::span<scope_slot* const> tripped,
                                           position from, const trip_cause& cause) noexcept {
  std::uint64_t first_logged = UINT64_MAX;
  for (const scope_slot* scope : tripped) {
    first_logged = std::min(first_logged, scope->logged_mark);
    describe(slot, *scope, cause.reason, b.trip[b.trips++]);
  }
  b.from = from;
  b.to = slot.here();
  b.records = slot.place().logged - std::max(first_logged, slot.oldest_logged());
  b.sequence = slot.hand_overs + 1;
  b.outbox_position = slot.out.position();
  b.lost_contexts = slot.lost_contexts;
  b.thread = slot.thread;
  b.trigger = cause.trigger;
  b.level = cause.level;
  b.times_are_exact = slot.times_are_exact();
  b.site = cause.site;
  b.trip_ticks = cause.ticks;
}

} // namespace

namespace {

/// `Only`: the thread has one scope open, which has no special options and tripped. Most failures are that,
/// and what the compiler then knows saves them a third of the instructions.
template <bool Only>
hand_over_result hand_over_from(thread_slot& slot, const trip_decision& d, const trip_cause& cause) noexcept {
  generation& g = *slot.home;
  assert(!Only || d.tripped == bit_of_scope(0));
  const scope_set tripped = Only ? bit_of_scope(0) : d.tripped;
  const bool special = !Only && slot.some_special;
  if (cause.trigger != trigger::full && g.storms.suppress(cause.site)) {
    owe(slot, tripped);
    add(slot.counts.contexts_suppressed, 1);
    return hand_over_result::refused;
  }
  buffer* spare = slot.free_buffer();
  if (spare == nullptr) return refuse(slot, d, cause);
  std::array<scope_slot*, deepest_scope> order;
  if constexpr (Only) order[0] = &slot.scopes()[0];
  const std::span<scope_slot* const> scopes(order.data(), Only ? 1 : in_order(slot, tripped, order));
  position from = UINT64_MAX;
  for (const scope_slot* scope : scopes) from = std::min(from, scope->watermark);
  from = std::max(from, slot.oldest_position());

  bool moves = Only || tripped == all_open(slot); // asked once: a scope may end on another thread meanwhile
  test_point(race_point::move_decided);
  buffer& out = moves ? slot.current() : *spare;
  if (moves)
    slot.note_used();
  else
    slot.copy_span(from, out);
  out.trips = 0;
  address(slot, out, scopes, from, cause);
  out.pins_from = UINT64_MAX;
  if (special) [[unlikely]]
    slot.take_pins(out, first_pin(slot, tripped));
  const std::uint64_t records = out.records;
  const unsettled_records before =
      moves && from > slot.oldest_position() ? slot.unsettled_before(from) : unsettled_records{};
  out.state.set(buffer_state::queued); // published by the queue with the rest
  test_point(race_point::hand_over_ready);
  if (!hand_over_queue::try_hand_over(g.queue, *slot.producer, &out)) {
    out.state.set(moves ? buffer_state::owned : buffer_state::free);
    return refuse(slot, d, cause);
  }
  // `out` is not ours any more.
  test_point(race_point::hand_over_enqueued);
  slot.hand_overs_published.publish(++slot.hand_overs);
  test_point(race_point::hand_over_counted);
  if (bool none_left = false; slot.is_short_of_buffers(none_left)) g.press(none_left);
  if (is_planted(planted_fault::move_is_decided_twice)) moves = tripped == all_open(slot);
  slot.lost_contexts = 0;
  add(slot.counts.copies, records);
  if (moves) {
    spare->state.set(buffer_state::owned);
    slot.settle_moved(*spare, before);
  } else {
    mark_written(slot, scopes, tripped);
    slot.settle_copied(from);
  }
  if (special) [[unlikely]] {
    slot.settle_pins(!moves);
    for (scope_slot* scope : scopes) scope->special.pin_anew();
    begin_passing(slot, d.failed);
  }
  for (scope_slot* scope : scopes) {
    scope->watermark = slot.here();
    scope->logged_mark = slot.place().logged;
    scope->held = 0;
    scope->owe(false);
    scope->owed_to = 0;
  }
  slot.publish_counts();
  return moves ? hand_over_result::moved : hand_over_result::copied;
}

} // namespace

hand_over_result hand_over(thread_slot& slot, const trip_decision& d, const trip_cause& cause) noexcept {
  if (slot.scopes().size() == 1 && !slot.some_special) return hand_over_from<true>(slot, d, cause);
  follow_default_target(slot);
  return hand_over_from<false>(slot, d, cause);
}

void adopt_default_target(thread_slot& slot) noexcept {
  const core& owner = slot.home->owner;
  const auto scopes = slot.scopes();
  for (scope_slot& scope : scopes) {
    handler* const present = owner.successor(scope.target);
    if (present == scope.target) continue;
    // What is at the former target stays as written. What others write to the present one counts from now on.
    std::uint8_t bits = scope.target_bit;
    for (const scope_slot& other : scopes)
      if (other.target == present) bits = static_cast<std::uint8_t>(bits | other.target_bit);
    scope.target = present;
    scope.target_bit = bits;
  }
}

void trip_without_record(thread_slot& slot, trip_decision d, const trip_cause& cause) noexcept {
  scope_set holding = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if ((d.tripped & bit_of_scope(i)) != 0 && !scopes[i].passing &&
        scopes[i].logged_mark != slot.place().logged)
      holding |= bit_of_scope(i);
  if (holding == 0) return begin_passing(slot, d.failed); // no empty dumps
  if (!slot.home->accepting.load(std::memory_order_relaxed)) {
    add(slot.counts.after_stop, 1);
    return owe(slot, holding);
  }
  d.tripped = holding;
  hand_over(slot, d, cause);
}

bool make_room(cursor& c, std::size_t bytes) noexcept {
  thread_slot& slot = *c.slot;
  if (bytes > slot.segment_bytes()) return false;
  if (bytes <= static_cast<std::size_t>(c.end - c.head))
    return true; // a signal handler's record made room meanwhile
  if (slot.next_segment_forgets()) {
    // Scopes that write when they are full write now, before the buffer forgets for them.
    scope_set full = 0;
    const auto scopes = slot.scopes();
    const position kept = slot.oldest_position() + slot.segment_bytes();
    for (std::size_t i = 0; i < scopes.size(); ++i)
      if (scopes[i].counts && !scopes[i].passing && scopes[i].watermark < kept && !scopes[i].abandoned())
        full |= bit_of_scope(i);
    if (full != 0) {
      trip_cause cause;
      cause.trigger = trigger::full;
      cause.ticks = note_time(c);
      trip_without_record(slot, {.tripped = full}, cause);
      if (bytes <= static_cast<std::size_t>(c.end - c.head)) return true;
    }
  }
  if (slot.some_special && slot.next_segment_forgets()) keep_pinned(slot);
  slot.next_segment();
  return true;
}

} // namespace faultline::detail
