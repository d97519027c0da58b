#include "front/trip.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <faultline/detail/statement.hpp>

#include "front/pass_path.hpp"
#include "record/dictionary.hpp"
#include "record/layout.hpp"

namespace faultline::detail {
namespace {

const node& node_of(const node_head* head) noexcept { return static_cast<const node&>(*head); }

scope_set bit_of_scope(std::size_t index) noexcept { return scope_set{1} << index; }

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
  out.from = std::max(scope.watermark, slot.oldest_position());
  out.capacity = scope.counts ? UINT64_MAX : scope.capacity; // full_policy::flush writes all it holds
  const std::uint64_t oldest = slot.oldest_logged();
  out.forgotten = oldest > scope.logged_mark ? oldest - scope.logged_mark : 0;
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

/// Marks what the scope writes: its last `capacity` visible records.
void mark_written(thread_slot& slot, const scope_slot& scope) noexcept {
  const position from = std::max(scope.watermark, slot.oldest_position());
  const registry& loggers = slot.home->owner.loggers;
  const auto visible = [&](const record_reader& r) {
    const node* n = loggers.find(r.logger());
    return n != nullptr && n->reaches(*scope.logger);
  };
  std::uint64_t count = 0;
  slot.for_each_held(from, [&](record_reader& r) { count += visible(r) ? 1 : 0; });
  std::uint64_t skip = !scope.counts && count > scope.capacity ? count - scope.capacity : 0;
  slot.for_each_held(from, [&](record_reader& r) {
    if (!visible(r)) return;
    if (skip > 0)
      --skip;
    else
      r.set_targets(scope.target_bit);
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
    scopes[i].owed = true;
    scopes[i].held = 0;
  }
  slot.for_each_held(std::max(from, slot.oldest_position()),
                     [&slot](record_reader& r) { slot.settle_lost(r); });
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
  b.thread = slot.thread;
  b.trigger = cause.trigger;
  b.level = cause.level;
  b.site = cause.site;
  b.trip_ticks = cause.ticks;
}

} // namespace

hand_over_result hand_over(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept {
  generation& g = *slot.home;
  if (cause.trigger != trigger::full && g.storms.suppress(cause.site)) {
    owe(slot, tripped, slot.counts.contexts_suppressed);
    return hand_over_result::refused;
  }
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
  const std::uint64_t records = out.records;
  const thread_slot::unsettled_records before =
      moves ? slot.unsettled_before(from) : thread_slot::unsettled_records{};
  out.state.set(buffer_state::queued); // published by the queue with the rest
  if (!hand_over_queue::try_hand_over(g.queue, *slot.producer, &out)) {
    out.state.set(moves ? buffer_state::owned : buffer_state::free);
    owe(slot, tripped, slot.counts.contexts_refused);
    return hand_over_result::refused;
  }
  // `out` is not ours any more.
  slot.hand_overs_published.publish(++slot.hand_overs);
  slot.lost_contexts = 0;
  add(slot.counts.copies, records);
  if (moves) {
    spare->state.set(buffer_state::owned);
    slot.settle_moved(*spare, before);
  } else {
    for (const scope_slot* scope : scopes)
      if (shares_target(slot, *scope, tripped)) mark_written(slot, *scope);
    slot.settle_copied(from);
  }
  for (scope_slot* scope : scopes) {
    scope->watermark = slot.here();
    scope->logged_mark = slot.place().logged;
    scope->held = 0;
    scope->owed = false;
    scope->owed_to = 0;
  }
  slot.publish_counts();
  return moves ? hand_over_result::moved : hand_over_result::copied;
}

void trip_without_record(thread_slot& slot, scope_set tripped, const trip_cause& cause) noexcept {
  scope_set holding = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if ((tripped & bit_of_scope(i)) != 0 && scopes[i].logged_mark != slot.place().logged)
      holding |= bit_of_scope(i);
  if (holding == 0) return; // no empty dumps
  if (!slot.home->accepting.load(std::memory_order_relaxed)) {
    add(slot.counts.after_stop, 1);
    return owe(slot, holding, slot.counts.contexts_refused);
  }
  hand_over(slot, holding, cause);
}

namespace {

/// The scopes that this record makes write; counts the record for those that count.
scope_set tripped_by(thread_slot& slot, const node& n, level_mask bit, trip_cause& cause) noexcept {
  scope_set tripped = 0;
  bool only_full = true;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    const bool by_level = (scope.levels & bit) != 0;
    if (scope.abandoned() || !(by_level || scope.counts) || !n.reaches(*scope.logger)) continue;
    const bool full = scope.counts && ++scope.held >= scope.capacity;
    if (!by_level && !full) continue;
    only_full = only_full && !by_level;
    tripped |= bit_of_scope(i);
  }
  if (only_full) cause.trigger = trigger::full;
  return tripped;
}

/// Who must see the record although its context was not handed over.
std::size_t targets_of(thread_slot& slot, scope_set tripped, std::array<handler*, most_targets>& out,
                       std::uint8_t& bits) noexcept {
  std::size_t count = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    if ((tripped & bit_of_scope(i)) == 0 || (bits & scopes[i].target_bit) != 0) continue;
    bits = static_cast<std::uint8_t>(bits | scopes[i].target_bit);
    out[count++] = scopes[i].target;
  }
  return count;
}

void attend_stopped(thread_slot& slot, record_reader& record) noexcept {
  add(slot.counts.after_stop, 1);
  slot.settle_lost(record);
}

/// A record that trips scopes or that a handler wants.
void trip_or_pass(thread_slot& slot, record_reader& record, scope_set tripped, bool routed,
                  trip_cause& cause) noexcept {
  if (!slot.home->accepting.load(std::memory_order_relaxed)) return attend_stopped(slot, record);
  // A routed record's entry is written first, since a hand-over by pointer takes the record away, and
  // published last, since the hand-over's position is the entry's: whoever sees the entry finds the hand-over
  // before it. One that only scopes want needs an entry only when the hand-over was refused, and then it is
  // still there.
  std::array<handler*, most_targets> targets;
  std::uint8_t target_bits = 0;
  const std::size_t target_count = tripped != 0 ? targets_of(slot, tripped, targets, target_bits) : 0;
  const std::span<handler* const> to(targets.data(), target_count);
  const bool waits = slot.home->owner.geometry.waits;
  outbox_entry* entry = routed ? obtain_entry(slot, record, to, tripped != 0) : nullptr;
  if (routed && entry == nullptr && waits) return attend_stopped(slot, record);

  const hand_over_result result = tripped != 0 ? hand_over(slot, tripped, cause) : hand_over_result::refused;
  const bool handed = result != hand_over_result::refused;
  const bool gone = result == hand_over_result::moved; // the record left with its buffer
  if (!gone) record = record_reader(record.data());    // the hand-over, or its refusal, marked it
  if (!routed) {
    if (handed) return; // the dump has it
    entry = obtain_entry(slot, record, to, true);
    if (entry == nullptr && waits) return attend_stopped(slot, record);
  }
  if (entry == nullptr) {
    add(slot.counts.outbox_full, 1);
    if (!handed) slot.settle_lost(record);
    return;
  }
  // In a dump, its targets have it; the entry's own list serves only where there was no dump.
  entry->flags = handed   ? static_cast<std::uint16_t>(outbox_routed | outbox_in_dump)
                 : routed ? static_cast<std::uint16_t>(outbox_routed)
                          : std::uint16_t{0};
  entry->hand_overs_before = slot.hand_overs;
  slot.out.publish(*entry);
  add(slot.counts.copies, 1);
  if (gone) return;
  slot.settle_passed(record);
  if (!handed) record.set_targets(target_bits);
}

} // namespace

namespace {

/// Enters the record's site into the dictionary and makes the record's word of the site's. False when the
/// dictionary is full.
bool enter(std::uint64_t& word, site& where, const argument_types& types) noexcept {
  const std::uint64_t entered = dictionary::instance().enter(where, types.codes, types.record_bytes);
  if (entered == unentered) return false;
  word = entered | (word & 0xFFFF'0000U) |
         (word & bits_from(level::trace)); // the size and level that it has itself
  return true;
}

} // namespace

void attend(const level_gate& gate, site& where, std::uint64_t word, std::byte* at,
            const argument_types& types, cursor& c) noexcept {
  if (c.slot == nullptr) return; // a fork inside this statement, in a signal handler, wiped the cursor
  thread_slot& slot = *c.slot;
  if ((word & not_entered) != 0 && !enter(word, where, types)) {
    c.head = at; // as if it had never been
    --c.logged;
    slot.home->owner.unmade.fetch_add(1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    c.open.store(slot.owner, std::memory_order_relaxed);
    return;
  }
  std::memcpy(at, &word, sizeof word);
  const node& n = *slot.home->owner.loggers.find(gate.logger_id);
  record_reader record(at);
  const level_mask bit = record.level_bit();
  const bool routed = (n.pass_mask.load(std::memory_order_relaxed) & bit) != 0;
  if (routed && slot.scopes().empty()) {
    record.set_time(note_time(c));
    pass_outside_scopes(slot, record);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return c.open.store(slot.owner, std::memory_order_relaxed);
  }
  if (c.clock != statement_clock::cursor) record.set_time(read_clock(c));
  trip_cause cause;
  if (slot.exception_escapes) cause.trigger = trigger::exception;
  const scope_set tripped = slot.scopes().empty() ? 0 : tripped_by(slot, n, bit, cause);
  if (routed || tripped != 0) {
    cause.ticks = note_time(c);
    cause.level = record.level();
    cause.site = record.site();
    if (cause.trigger == trigger::level) cause.reason = to_string(cause.level);
    record.set_time(cause.ticks);
    record.set_flags(record_exact);
    trip_or_pass(slot, record, tripped, routed, cause);
  }
  if (slot.scopes().empty()) {
    slot.rewind();
    slot.publish_counts();
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c.open.store(slot.owner, std::memory_order_relaxed);
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
  slot.next_segment();
  return true;
}

} // namespace faultline::detail
