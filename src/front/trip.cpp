#include "front/trip.hpp"

#include <algorithm>
#include <cstring>

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

void describe(thread_slot& slot, const scope_slot& scope, std::string_view reason,
              trip_descriptor& out) noexcept {
  out.logger = scope.logger;
  out.target = scope.target;
  out.pin_first = scope.pin_first();
  out.from = out.pin_first != 0 ? scope.watermark : std::max(scope.watermark, slot.oldest_position());
  out.capacity = scope.counts ? UINT64_MAX : scope.capacity; // full_policy::flush writes all it holds
  const std::uint64_t oldest = slot.oldest_logged();
  out.forgotten = oldest > scope.logged_mark ? oldest - scope.logged_mark : 0;
  if (out.pin_first != 0) out.forgotten -= std::min(out.forgotten, slot.count_pins(scope.watermark));
  out.start_ticks = scope.start_ticks;
  out.target_bit = scope.target_bit;
  out.reason_size = static_cast<std::uint8_t>(std::min(reason.size(), out.reason.size()));
  if (out.reason_size > 0) std::memcpy(out.reason.data(), reason.data(), out.reason_size);
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

/// Marks what the scope writes: its last `capacity` visible records, and the first that it pinned.
void mark_written(thread_slot& slot, const scope_slot& scope) noexcept {
  const position from = std::max(scope.watermark, slot.oldest_position());
  const registry& loggers = slot.home->owner.loggers;
  const auto visible = [&](const record_reader& r) {
    const node* n = loggers.find(r.logger());
    return n != nullptr && n->reaches(*scope.logger);
  };
  const std::uint64_t first = scope.pin_first();
  const auto for_each = [&](auto&& use) {
    if (first != 0) slot.for_each_pin(scope.watermark, use);
    slot.for_each_held(from, use);
  };
  std::uint64_t count = 0;
  for_each([&](record_reader& r) { count += visible(r) ? 1 : 0; });
  const std::uint64_t last = !scope.counts && count > scope.capacity ? count - scope.capacity : 0;
  std::uint64_t index = 0;
  for_each([&](record_reader& r) {
    if (!visible(r)) return;
    if (index < first || index >= last) r.set_targets(scope.target_bit);
    ++index;
  });
}

/// The scopes tripped and cannot hand over. They go on holding what they hold, so that a later trip tells it
/// after all; until then it counts as lost.
void owe(thread_slot& slot, scope_set tripped, std::atomic<std::uint64_t>& count) noexcept {
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
                     [&slot](record_reader& r) { slot.settle_lost(r); });
  if (slot.some_special) slot.lose_pins(first_pin(slot, tripped));
  add(count, 1);
}

/// Fills in the hand-over in `b`, whose records are in place.
void address(thread_slot& slot, buffer& b, std::span<scope_slot* const> tripped, position from,
             const trip_cause& cause) noexcept {
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
  b.thread_id = slot.thread_id;
  b.trigger = cause.trigger;
  b.level = cause.level;
  b.site = cause.site;
  b.trip_ticks = cause.ticks;
}

} // namespace

namespace {

/// Whether the cause is a failure for that one of the tripped scopes.
bool is_failure(const scope_slot& scope, const trip_cause& cause) noexcept {
  if (cause.trigger == trigger::full || cause.trigger == trigger::sample) return false;
  const bool by_record = cause.trigger == trigger::level || cause.trigger == trigger::exception;
  return !by_record || (scope.levels & bit_of(cause.level)) != 0; // it may have been full, and others failed
}

/// Of the tripped scopes those that failed and pass through do so from now on: each record concerns them, and
/// goes on doing so when a scope inside them has ended.
[[gnu::noinline]] void begin_passing(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    if ((tripped & bit_of_scope(i)) == 0 || !scope.is_special() || !scope.special.passes_through ||
        scope.passing || !is_failure(scope, cause))
      continue;
    scope.passing = true;
    slot.place().trip_mask = every_level;
    for (scope_slot& inner : scopes.subspan(i + 1)) inner.outer_trip_mask = every_level;
  }
}

/// For the sample of successful work.
[[gnu::noinline]] void note_failed(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if ((tripped & bit_of_scope(i)) != 0 && scopes[i].is_special() && is_failure(scopes[i], cause))
      scopes[i].special.failed = true;
}

} // namespace

hand_over_result hand_over(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept {
  generation& g = *slot.home;
  if (slot.some_special) [[unlikely]]
    note_failed(slot, tripped, cause);
  if (cause.trigger != trigger::full && g.storms.suppress(cause.site)) {
    owe(slot, tripped, slot.counts.contexts_suppressed);
    return hand_over_result::refused;
  }
  if (slot.some_special) [[unlikely]]
    begin_passing(slot, tripped, cause);
  buffer* spare = slot.free_buffer();
  if (spare == nullptr) {
    owe(slot, tripped, slot.counts.contexts_refused);
    return hand_over_result::refused;
  }
  std::array<scope_slot*, deepest_scope> order;
  const std::span<scope_slot* const> scopes(order.data(), in_order(slot, tripped, order));
  position from = UINT64_MAX;
  for (const scope_slot* scope : scopes) from = std::min(from, scope->watermark);
  from = std::max(from, slot.oldest_position());

  const bool moves = tripped == all_open(slot); // asked once: a scope may end on another thread meanwhile
  buffer& out = moves ? slot.current() : *spare;
  if (moves)
    slot.note_used();
  else
    slot.copy_span(from, out);
  out.trips = 0;
  address(slot, out, scopes, from, cause);
  out.pins_from = UINT64_MAX;
  if (slot.some_special) [[unlikely]]
    slot.take_pins(out, first_pin(slot, tripped));
  const std::uint64_t records = out.records;
  const thread_slot::unsettled_records before =
      moves ? slot.unsettled_before(from) : thread_slot::unsettled_records{};
  out.state.store(buffer_state::queued, std::memory_order_relaxed); // published by the queue with the rest
  if (!hand_over_queue::try_hand_over(g.queue, *slot.producer, &out)) {
    out.state.store(moves ? buffer_state::owned : buffer_state::free, std::memory_order_relaxed);
    owe(slot, tripped, slot.counts.contexts_refused);
    return hand_over_result::refused;
  }
  // `out` is not ours any more.
  slot.hand_overs_published.store(++slot.hand_overs,
                                  std::memory_order_release); // pairs with the flusher's round
  slot.lost_contexts = 0;
  add(slot.counts.copies, records);
  if (moves) {
    spare->state.store(buffer_state::owned, std::memory_order_relaxed); // the thread's own: nobody reads it
    slot.settle_moved(*spare, before);
  } else {
    for (const scope_slot* scope : scopes)
      if (shares_target(slot, *scope, tripped)) mark_written(slot, *scope);
    slot.settle_copied(from);
  }
  if (slot.some_special) [[unlikely]] {
    slot.settle_pins(!moves);
    for (scope_slot* scope : scopes) scope->special.pinned = 0;
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

void trip_without_record(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept {
  scope_set holding = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if ((tripped & bit_of_scope(i)) != 0 && !scopes[i].holds_nothing() &&
        scopes[i].logged_mark != slot.place().logged)
      holding |= bit_of_scope(i);
  note_failed(slot, tripped, cause);
  if (holding == 0) return begin_passing(slot, tripped, cause); // no empty dumps
  if (!slot.home->accepting.load(std::memory_order_relaxed)) {
    add(slot.counts.after_stop, 1);
    return owe(slot, holding, slot.counts.contexts_refused);
  }
  hand_over(slot, holding, cause);
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
    for (std::size_t i = 0; i < scopes.size(); ++i)
      if (scopes[i].counts && !scopes[i].abandoned()) full |= bit_of_scope(i);
    if (full != 0) {
      trip_cause cause;
      cause.trigger = trigger::full;
      cause.ticks = note_time(c);
      trip_without_record(slot, full, cause);
      if (bytes <= static_cast<std::size_t>(c.end - c.head)) return true;
    }
  }
  if (slot.some_special && slot.next_segment_forgets()) keep_pinned(slot);
  slot.next_segment();
  return true;
}

} // namespace faultline::detail
