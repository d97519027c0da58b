// Records that ask for more than to be appended.
#include <array>
#include <bit>
#include <cstring>

#include <faultline/detail/statement.hpp>

#include "front/pass_path.hpp"
#include "front/trip.hpp"
#include "record/dictionary.hpp"
#include "record/layout.hpp"

namespace faultline::detail {
namespace {

/// Whether the scope's predicate says that such an error is expected.
[[gnu::noinline]] bool is_expected(const thread_slot& slot, const scope_slot& scope, const node& n,
                                   const record_reader& record) noexcept {
  if (scope.special.expects == nullptr) return false;
  trip_view view;
  view.level = record.level();
  view.logger = n.name;
  if (const dictionary_entry* entry = dictionary::instance().find(record.site())) {
    view.format = entry->facts.format;
    view.file = entry->facts.file;
    view.function = entry->facts.function;
    view.line = entry->facts.line;
  }
  view.exception_escapes = slot.exception_escapes;
  view.exception_type = slot.escaping_type;
  return scope.special.expects(view);
}

/// Asks every open scope that sees the record; counts it for those that count. Says in `cause` when it trips
/// for no other reason than that they are full.
trip_decision decide(thread_slot& slot, const node& n, const record_reader& record,
                     trip_cause& cause) noexcept {
  const level_mask bit = record.level_bit();
  trip_decision d;
  bool only_full = true;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    const bool by_level = (scope.levels & bit) != 0;
    if (!(by_level || scope.counts || scope.passing) || scope.abandoned() || !n.reaches(*scope.logger))
      continue;
    // One that passes through and owes nothing has nothing to write but the record itself.
    const bool told = scope.passing ? !by_level || !scope.owes()
                                    : by_level && scope.is_special() && is_expected(slot, scope, n, record);
    const bool full = scope.counts && !scope.passing && ++scope.held >= scope.capacity;
    if (full || (by_level && !told)) {
      only_full = only_full && (!by_level || told);
      d.tripped |= bit_of_scope(i);
    } else if (told) {
      d.urgent = d.urgent || by_level;
      d.told |= bit_of_scope(i);
    }
  }
  if (only_full) cause.trigger = trigger::full;
  return d;
}

/// Those that an entry names.
struct entry_targets {
  std::array<handler*, most_targets> list;
  std::size_t count = 0;
  std::size_t told = 0;       ///< the first of them, which get the record whether a dump holds it or not
  std::uint8_t bits = 0;      ///< of all of them
  std::uint8_t told_bits = 0; ///< of the first

  /// Adds the targets of those scopes, but for those that are there.
  void add(thread_slot& slot, scope_set of) noexcept {
    const auto scopes = slot.scopes();
    for (std::size_t i = 0; i < scopes.size(); ++i) {
      if ((of & bit_of_scope(i)) == 0 || (bits & scopes[i].target_bit) != 0) continue;
      bits = static_cast<std::uint8_t>(bits | scopes[i].target_bit);
      list[count++] = scopes[i].target;
    }
  }
};

void attend_stopped(thread_slot& slot, record_reader& record) noexcept {
  add(slot.counts.after_stop, 1);
  slot.settle_lost(record);
}

/// The record's entry is in the outbox, or was refused: what that means for the scopes that pass through.
/// One whose record was refused holds it, and whatever comes behind it, for a later trip to tell.
[[gnu::noinline]] void note_told(thread_slot& slot, scope_set told, bool accepted) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    if ((told & bit_of_scope(i)) == 0 || !scope.passing) continue;
    if (!accepted) {
      scope.owe(true);
      scope.owed_to = slot.here();
    } else if (!scope.owes()) {
      scope.watermark = slot.here();
      scope.logged_mark = slot.place().logged;
      scope.special.pinned = 0;
    }
  }
}

/// Which scope a record's entry shows. The pass path shows the innermost; a record that only a scope wants
/// shows that one.
const context_block* context_for(thread_slot& slot, scope_set told, bool routed) noexcept {
  if (routed || told == 0) return innermost_context(slot);
  const context_block& context = slot.scopes()[static_cast<std::size_t>(std::bit_width(told) - 1)].context;
  return context.empty() ? nullptr : &context;
}

[[gnu::noinline]] entry_contents contents_for(thread_slot& slot, const trip_decision& d, bool routed,
                                              entry_targets& targets) noexcept {
  if (d.told != 0) {
    targets.add(slot, d.told);
    targets.told = targets.count;
    targets.told_bits = targets.bits;
  }
  if (d.tripped != 0) targets.add(slot, d.tripped);
  return {
      {targets.list.data(), targets.count}, context_for(slot, d.told, routed), d.tripped != 0 || d.urgent};
}

/// A record that trips scopes, that scopes want to see, or that a handler wants.
void trip_or_pass(thread_slot& slot, record_reader& record, const trip_decision& d, bool routed,
                  trip_cause& cause) noexcept {
  if (!slot.home->accepting.load(std::memory_order_relaxed)) return attend_stopped(slot, record);
  // The entry of a record that goes to somebody in any case is written first, since a hand-over by pointer
  // takes the record away, and published last, since the hand-over's position is the entry's: whoever sees
  // the entry finds the hand-over before it. One that only tripped scopes want needs an entry only when the
  // hand-over was refused, and then it is still there.
  entry_targets targets;
  const bool waits = slot.home->owner.geometry.waits;
  const bool goes = routed || d.told != 0;
  outbox_entry* entry = nullptr;
  if (goes) {
    entry = obtain_entry(slot, record, contents_for(slot, d, routed, targets));
    if (entry == nullptr && waits) return attend_stopped(slot, record);
  }

  const hand_over_result result =
      d.tripped != 0 ? hand_over(slot, d.tripped, cause) : hand_over_result::refused;
  const bool handed = result != hand_over_result::refused;
  const bool gone = result == hand_over_result::moved; // the record left with its buffer
  if (!gone) record = record_reader(record.data());    // the hand-over, or its refusal, marked it
  if (!goes) {
    if (handed) return; // the dump has it
    entry = obtain_entry(slot, record, contents_for(slot, d, routed, targets));
    if (entry == nullptr && waits) return attend_stopped(slot, record);
  }
  if (entry == nullptr) {
    add(slot.counts.outbox_full, 1);
    if (!handed) slot.settle_lost(record);
    return note_told(slot, d.told, false);
  }
  // In a dump, its targets have it; of the entry's own list those serve then that are told in any case.
  entry->flags =
      static_cast<std::uint16_t>((routed ? outbox_routed : 0) | (handed && goes ? outbox_in_dump : 0));
  entry->told = static_cast<std::uint32_t>(targets.told);
  entry->hand_overs_before = slot.hand_overs;
  slot.out.publish(*entry);
  add(slot.counts.copies, 1);
  if (gone) return;
  slot.settle_passed(record);
  record.set_targets(handed ? targets.told_bits : targets.bits);
  note_told(slot, d.told, true);
}

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
  const trip_decision d = slot.scopes().empty() ? trip_decision{} : decide(slot, n, record, cause);
  if (routed || d.any()) {
    cause.ticks = note_time(c);
    cause.level = record.level();
    cause.site = record.site();
    if (cause.trigger == trigger::level) cause.reason = to_string(cause.level);
    record.set_time(cause.ticks);
    record.set_flags(record_exact);
    trip_or_pass(slot, record, d, routed, cause);
  }
  if (slot.scopes().empty()) {
    slot.rewind();
    slot.publish_counts();
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c.open.store(slot.owner, std::memory_order_relaxed);
}

} // namespace faultline::detail
