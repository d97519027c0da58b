#include "front/pass_path.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/test_point.hpp"
#include "front/core.hpp"

namespace faultline::detail {

const context_block* innermost_context(thread_slot& slot) noexcept {
  const auto scopes = slot.scopes();
  for (std::size_t i = scopes.size(); i-- > 0;)
    if (!scopes[i].abandoned()) return scopes[i].context.empty() ? nullptr : &scopes[i].context;
  return nullptr;
}

namespace {

void fill(outbox_entry& entry, const thread_slot& slot, const record_reader& record) noexcept {
  entry.thread = slot.thread;
  entry.version = slot.home->owner.loggers.version();
  std::memcpy(entry.record(), record.data(), record.bytes());
}

/// The record's copy in the outbox, not published yet; null when the outbox is full.
outbox_entry* prepare_entry(thread_slot& slot, const record_reader& record,
                            const entry_contents& contents) noexcept {
  const context_block* const context = contents.context;
  const std::size_t context_bytes = context != nullptr ? context->used_bytes() : 0;
  outbox_entry* entry =
      slot.out.prepare(contents.target != nullptr ? 1 : 0, context_bytes, record.bytes(), contents.tripping);
  if (entry == nullptr) return nullptr;
  if (contents.target != nullptr) entry->target_list()[0] = contents.target;
  if (context != nullptr) context->copy_to(entry->context());
  fill(*entry, slot, record);
  return entry;
}

/// For threads that may wait: the same, when there is room; null when the runtime stopped before.
outbox_entry* wait_for_entry(thread_slot& slot, const record_reader& record,
                             const entry_contents& contents) noexcept {
  // A sleep takes a tenth of a millisecond, in which the flusher empties some 64 KiB: the thread of a larger
  // ring leaves the processor to it, that of a smaller one would let it run dry.
  constexpr std::size_t large_ring = std::size_t{128} << 10;
  const unsigned tries_without_sleep = slot.geometry().outbox_bytes >= large_ring ? 3 : 100;
  constexpr unsigned tries_between_calls = 100;
  constexpr timespec pause{0, 50'000};
  const int error = errno;
  outbox_entry* entry = nullptr;
  // A child that a signal handler forked here has no slot any more, and no flusher.
  for (unsigned tries = 0; entry == nullptr && slot.place().slot != nullptr &&
                           slot.home->accepting.load(std::memory_order_relaxed);
       ++tries) {
    if (tries % tries_between_calls == 0) slot.home->rest.interrupt();
    if (tries < tries_without_sleep)
      ::sched_yield();
    else
      ::syscall(SYS_nanosleep, &pause, nullptr); // nanosleep itself is where a thread may be cancelled
    entry = prepare_entry(slot, record, contents);
  }
  errno = error;
  return entry;
}

} // namespace

outbox_entry* obtain_entry(thread_slot& slot, const record_reader& record,
                           const entry_contents& contents) noexcept {
  outbox_entry* entry = prepare_entry(slot, record, contents);
  if (entry == nullptr && slot.home->owner.geometry().waits) entry = wait_for_entry(slot, record, contents);
  return entry;
}

namespace {

[[gnu::always_inline]] inline void publish_now(thread_slot& slot, outbox_entry& entry, int flags) noexcept {
  entry.flags = static_cast<std::uint16_t>(flags);
  entry.hand_overs_before = slot.hand_overs;
  test_point(race_point::entry_ready);
  slot.out.publish(entry);
  test_point(race_point::entry_published);
  add(slot.counts.copies, 1);
  if (const ring_pressure pressure = slot.out.take_pressure(); pressure != ring_pressure::none) [[unlikely]]
    slot.home->press(pressure == ring_pressure::high);
}

} // namespace

void publish_entry(thread_slot& slot, outbox_entry& entry, int flags) noexcept {
  publish_now(slot, entry, flags);
}

void pass_outside_scopes(thread_slot& slot, const record_reader& record) noexcept {
  const bool waits = slot.home->owner.geometry().waits;
  outbox_entry* entry = nullptr;
  if (slot.home->accepting.load(std::memory_order_relaxed)) {
    test_point(race_point::accepted);
    entry = slot.out.prepare(0, 0, record.bytes(), false);
    if (entry != nullptr)
      fill(*entry, slot, record);
    else if (waits)
      entry = wait_for_entry(slot, record, {});
  }
  if (entry != nullptr) {
    publish_now(slot, *entry, outbox_routed);
    add(slot.counts.passed_only, 1);
  } else {
    if (waits || !slot.home->accepting.load(std::memory_order_relaxed)) {
      add(slot.counts.after_stop, 1);
    } else {
      add(slot.counts.outbox_refusals, 1);
      slot.counts.note_loss(loss_kind::outbox_full, {.site = record.site(), .logger = record.logger()});
    }
    add(slot.counts.lost, 1);
  }
  slot.rewind_settled();
}

} // namespace faultline::detail
