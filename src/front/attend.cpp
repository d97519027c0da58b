// Records that ask for more than to be appended.
#include <cstring>

#include <faultline/detail/statement.hpp>

#include "base/test_point.hpp"
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
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    const bool by_level = (scope.levels & bit) != 0;
    if (!(by_level || scope.counts || scope.passing) || scope.abandoned() || !n.reaches(*scope.logger))
      continue;
    // One that passes through holds nothing: it gets the record alone.
    const bool told =
        scope.passing || (by_level && scope.is_special() && is_expected(slot, scope, n, record));
    const bool full = scope.counts && !scope.passing && ++scope.held >= scope.capacity;
    if (by_level && !told) d.failed |= bit_of_scope(i);
    if (full || (by_level && !told)) {
      d.tripped |= bit_of_scope(i);
    } else if (told) {
      d.told |= bit_of_scope(i);
      if (by_level) d.urgent |= bit_of_scope(i);
    }
  }
  if (d.failed == 0) cause.trigger = trigger::full;
  return d;
}

void attend_stopped(thread_slot& slot, record_reader& record) noexcept {
  add(slot.counts.after_stop, 1);
  slot.settle_lost(record);
  slot.publish_counts();
}

/// The record is on its way to those scopes' targets, or is lost: one that passes through is done with it.
void note_told(thread_slot& slot, scope_set told) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    if ((told & bit_of_scope(i)) == 0 || !scope.passing) continue;
    scope.watermark = slot.here();
    scope.logged_mark = slot.place().logged;
  }
}

/// The outbox took the record for the handlers of its logger: marks it for the targets of open scopes that
/// are among them, by the entry's version and thus with the answer that the flusher comes to.
void note_routed(thread_slot& slot, record_reader& record, std::uint32_t version) noexcept {
  follow_default_target(slot);
  const node& n = *slot.home->owner.loggers.find(record.logger());
  std::uint8_t served = 0;
  for (const scope_slot& scope : slot.scopes())
    if ((served & scope.target_bit) == 0 && serves(n, scope.target, record.level(), version))
      served = static_cast<std::uint8_t>(served | scope.target_bit);
  if (served != 0) record.set_targets(served);
}

/// An error that the outbox refused goes by a buffer, with what its scopes hold, when one is free.
hand_over_result hand_over_refused(thread_slot& slot, scope_set refused, trip_cause& cause) noexcept {
  if (refused == 0 || slot.free_buffer() == nullptr) return hand_over_result::refused;
  cause.trigger = trigger::full;
  cause.reason = "outbox full";
  return hand_over(slot, {.tripped = refused}, cause);
}

/// The targets of those scopes lack the record, but for one that has it by another scope's entry or dump.
void note_refused(thread_slot& slot, record_reader& record, scope_set refused) noexcept {
  std::uint8_t served = record.targets();
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    const scope_slot& scope = scopes[i];
    if ((refused & bit_of_scope(i)) == 0 || (served & scope.target_bit) != 0) continue;
    served = static_cast<std::uint8_t>(served | scope.target_bit);
    slot.counts.note_loss(loss_kind::outbox_full,
                          {.site = record.site(), .logger = record.logger(), .target = scope.target});
  }
  slot.settle_lost(record);
}

/// Gives the record to the targets of scopes that get it alone, each with its own scope's context, but for
/// targets that have it already. It is still in the buffer.
[[gnu::noinline]] void tell(thread_slot& slot, record_reader& record, const trip_decision& d, scope_set to,
                            trip_cause& cause) noexcept {
  follow_default_target(slot);
  scope_set refused = 0;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    const scope_slot& scope = scopes[i];
    if ((to & bit_of_scope(i)) == 0 || (record.targets() & scope.target_bit) != 0) continue;
    const bool error = ((d.tripped | d.urgent) & bit_of_scope(i)) != 0;
    outbox_entry* const entry =
        obtain_entry(slot, record, {scope.target, scope.context.empty() ? nullptr : &scope.context, error});
    if (entry == nullptr) {
      if (slot.home->owner.geometry().waits) return attend_stopped(slot, record);
      add(slot.counts.outbox_refusals, 1);
      refused |= bit_of_scope(i);
      continue;
    }
    publish_entry(slot, *entry, 0);
    slot.settle_passed(record);
    record.set_targets(scope.target_bit);
  }
  if (refused != 0) {
    const hand_over_result result = hand_over_refused(slot, refused & d.urgent, cause);
    if (result == hand_over_result::moved) return;
    record = record_reader(record.data()); // the hand-over marked it
    if (result == hand_over_result::copied) refused &= ~d.urgent;
    if (refused != 0) note_refused(slot, record, refused);
  }
  note_told(slot, d.told);
}

/// A record that trips scopes, that scopes want to see, or that a handler wants.
void trip_or_pass(thread_slot& slot, record_reader& record, const trip_decision& d, bool routed,
                  trip_cause& cause) noexcept {
  if (!slot.home->accepting.load(std::memory_order_relaxed)) return attend_stopped(slot, record);
  test_point(race_point::accepted);
  // A routed record's entry is written first, since a hand-over by pointer takes the record away, and
  // published last, since the hand-over's position is the entry's: whoever sees the entry finds the hand-over
  // before it. Scopes that get the record alone have entries of their own behind that: then it is still
  // there.
  outbox_entry* entry = nullptr;
  if (routed) {
    entry = obtain_entry(slot, record, {nullptr, innermost_context(slot), (d.tripped | d.urgent) != 0});
    if (entry == nullptr && slot.home->owner.geometry().waits) return attend_stopped(slot, record);
  }

  const hand_over_result result = d.tripped != 0 ? hand_over(slot, d, cause) : hand_over_result::refused;
  const bool handed = result != hand_over_result::refused;
  const bool gone = result == hand_over_result::moved; // the record left with its buffer
  if (!gone) record = record_reader(record.data());    // the hand-over, or its refusal, marked it
  if (entry != nullptr) {
    const std::uint32_t version = entry->version;
    publish_entry(slot, *entry, outbox_routed | (handed ? outbox_in_dump : 0));
    if (!gone) {
      slot.settle_passed(record);
      note_routed(slot, record, version);
    }
  } else if (routed) {
    add(slot.counts.outbox_refusals, 1);
    slot.counts.note_loss(loss_kind::outbox_full, {.site = record.site(), .logger = record.logger()});
    if (!handed) slot.settle_lost(record);
  }
  // An error whose context could not be handed over goes alone, too.
  const scope_set to = d.told | (handed ? scope_set{0} : d.tripped);
  if (gone) return; // the hand-over published the counts
  if (to != 0) tell(slot, record, d, to, cause);
  slot.publish_counts();
}

/// Whether nobody would have the record, though its logger says by its flush level that such records are
/// worth a dump: no open scope sees it, and it is known that no handler takes it.
bool is_silent_error(thread_slot& slot, const node& n, level_mask bit) noexcept {
  if ((n.flush_mask.load(std::memory_order_relaxed) & bit) == 0 || !slot.home->owner.geometry().last_resort)
    return false;
  for (const scope_slot& scope : slot.scopes())
    if (!scope.abandoned() && n.reaches(*scope.logger)) return false;
  return true;
}

/// It goes to the runtime's default target alone, at once, as Python's logging.lastResort does for warnings.
[[gnu::noinline]] void pass_to_default_target(thread_slot& slot, record_reader& record) noexcept {
  if (!slot.home->accepting.load(std::memory_order_relaxed)) return attend_stopped(slot, record);
  test_point(race_point::accepted);
  handler* const target = &slot.home->owner.default_target();
  outbox_entry* const entry = obtain_entry(slot, record, {target, nullptr, true});
  if (entry == nullptr) {
    if (slot.home->owner.geometry().waits) return attend_stopped(slot, record);
    add(slot.counts.outbox_refusals, 1);
    slot.counts.note_loss(loss_kind::outbox_full,
                          {.site = record.site(), .logger = record.logger(), .target = target});
    return slot.settle_lost(record);
  }
  publish_entry(slot, *entry, 0);
  slot.settle_passed(record);
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
  if (slot.has_abandoned_scope()) [[unlikely]]
    slot.leave_abandoned_scopes();
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
  if (routed && slot.scopes().empty() && slot.holds_only(at)) {
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
    record.set_time(cause.ticks);
    record.set_flags(record_exact);
    trip_or_pass(slot, record, d, routed, cause);
  } else if (is_silent_error(slot, n, bit)) {
    record.set_time(note_time(c));
    record.set_flags(record_exact);
    pass_to_default_target(slot, record);
    slot.publish_counts();
  }
  if (!slot.in_scope()) slot.end_statement();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c.open.store(slot.owner, std::memory_order_relaxed);
}

} // namespace faultline::detail
