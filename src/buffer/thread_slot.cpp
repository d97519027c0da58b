#include "buffer/thread_slot.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <cerrno>
#include <cxxabi.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/test_point.hpp"
#include "base/whole_characters.hpp"
#include "record/layout.hpp"
#include "record/thread_names.hpp"

namespace faultline::detail {
namespace {

/// The second member of the exception globals that the Itanium C++ ABI fixes (§2.2.2): two pointers' worth,
/// the first the caught exceptions. Reading it costs a load; std::uncaught_exceptions() costs a call into the
/// runtime library.
struct exception_globals {
  void* caught;
  unsigned uncaught;
};

} // namespace

std::size_t slot_geometry::record_bytes() const noexcept {
  // A record fits a segment, its own 16-bit size, and twice, with all that an entry may add, the part of the
  // outbox that is not reserved: then it fits wherever the ring's end is.
  constexpr std::size_t most_added =
      sizeof(outbox_entry) + most_targets * sizeof(handler*) + sizeof(context_block) + 8;
  return std::min({segment_bytes(), outbox_bytes * 3 / 8 - most_added, std::size_t{65'528}}) / 8 * 8;
}

thread_slot* thread_slot::make(generation& home, const slot_geometry& geometry) {
  // | cursor (a page that forks wipe) | thread_slot | buffers' heads | outbox | records of the buffers |
  // pinned |
  const auto pages = [](std::size_t bytes) { return (bytes + page_bytes - 1) / page_bytes * page_bytes; };
  const std::size_t head_bytes = pages(sizeof(thread_slot) + geometry.buffers * sizeof(buffer));
  const std::size_t outbox_at = page_bytes + head_bytes;
  const std::size_t records_at = outbox_at + geometry.outbox_bytes;
  const std::size_t pins_at = records_at + geometry.buffers * geometry.buffer_bytes;
  mapping memory(pins_at + geometry.buffers * pin_bytes(geometry.segment_bytes()));
  memory.wipe_on_fork(0,
                      page_bytes); // where it cannot, pthread_atfork closes the cursor of the forking thread

  std::byte* base = memory.data();
  auto* slot = new (base + page_bytes) thread_slot;
  slot->home = &home;
  slot->cursor_ = new (base) cursor;
  slot->geometry_ = &geometry;
  slot->segment_bytes_ = geometry.segment_bytes();
  slot->out.place(base + outbox_at, geometry.outbox_bytes);
  cursor& c = *slot->cursor_;
  c.argument_bytes = static_cast<std::uint32_t>(geometry.argument_bytes);
  c.record_bytes = static_cast<std::uint32_t>(geometry.record_bytes());
  c.has_tsc = geometry.clock == clock_source::tsc;
  c.plain_scopes = c.has_tsc && !geometry.holds_outside;
  c.clock = geometry.statements;
  c.base_mask = base_mask_of(c.clock);
  c.slot = slot;
  slot->scope_clock_ = slot->outside_clock_ = c.clock;
  if (c.clock == statement_clock::cursor) // outside scopes no scope has read the clock
    slot->outside_clock_ = c.has_tsc ? statement_clock::tsc : statement_clock::other;
  slot->supply_.place(*slot, geometry, base + page_bytes + sizeof(thread_slot), base + records_at,
                      base + pins_at);
  buffer& first = slot->supply_.first();
  first.state.set(buffer_state::owned);
  slot->use(first);
  slot->memory_ = std::move(memory);
  return slot;
}

void thread_slot::destroy(thread_slot* slot) noexcept {
  const mapping memory = std::move(slot->memory_); // unmaps the slot itself
}

namespace {

/// The thread's name in the system; empty for one that has only the program's.
std::array<char, 16> system_name() noexcept {
  std::array<char, 16> name{};                                  // what the kernel keeps, its end included
  pthread_getname_np(pthread_self(), name.data(), name.size()); // fails for other threads only
  if (std::strncmp(name.data(), program_invocation_short_name, name.size() - 1) == 0) name[0] = 0;
  return name;
}

/// The kernel cuts a name (prctl) at a byte: one as long as it may be can end within a character.
std::string_view whole_name(std::string_view name) noexcept {
  return name.size() == 15 ? whole_characters(name) : name;
}

} // namespace

bool thread_slot::try_attach() noexcept {
  if (!tenancy_.try_begin()) return false;
  const std::array name = system_name();
  thread = {static_cast<std::uint32_t>(syscall(SYS_gettid)),
            thread_names::instance().enter(whole_name(name.data()))};
  uncaught_exceptions = &reinterpret_cast<const exception_globals*>(abi::__cxa_get_globals())->uncaught;
  cursor_->trip_mask = every_level;
  return true;
}

void thread_slot::detach() noexcept {
  if (is_planted(planted_fault::slot_is_left_first)) tenancy_.end();
  test_point(race_point::thread_ends);
  cursor_->open.store(nullptr, std::memory_order_relaxed);
  if (holds_outside_ && outside_.owes()) ++lost_contexts;
  holds_outside_ = false; // what was held is discarded with the rest
  counts.held.store(0, std::memory_order_relaxed);
  pop_scopes(0, 0);
  cursor_->clock = scope_clock_;
  cursor_->base_mask = base_mask_of(scope_clock_);
  next_of_thread = nullptr;
  tenancy_.end(); // publishes all of the above to the next thread
}

void thread_slot::advance_time(std::uint64_t ticks, std::uint64_t implausible) noexcept {
  std::uint64_t before = cursor_->time.load(std::memory_order_relaxed);
  test_point(race_point::time_read);
  if (is_planted(planted_fault::time_is_stored)) return cursor_->time.store(ticks, std::memory_order_relaxed);
  if (attached() && (before < ticks || before > implausible))
    (void)cursor_->time.compare_exchange_strong(before, ticks, std::memory_order_relaxed);
}

bool thread_slot::drop_abandoned_scopes() noexcept {
  std::size_t depth = depth_;
  while (depth > 0 && scopes_[depth - 1].abandoned()) --depth;
  if (depth != depth_) pop_scopes(depth, 0);
  return depth_ < deepest_scope;
}

scope_slot* thread_slot::push_scope() noexcept {
  if (depth_ > 0 && (depth_ == deepest_scope || scopes_[depth_ - 1].abandoned()))
    if (!drop_abandoned_scopes()) return nullptr;
  if (depth_ == 0 && holds_outside_) leave_outside();
  scope_slot& scope = scopes_[depth_++];
  scope.serial.store(next_serial_++, std::memory_order_relaxed);
  if (next_serial_ == 0) next_serial_ = 1; // 0 is no scope's
  scope.ended_elsewhere.store(0, std::memory_order_relaxed);
  scope.traits = depth_ == 1 && holds_outside_ ? scope_over_held : 0;
  return &scope;
}

void thread_slot::take_away_scopes(std::size_t index, std::uint32_t ended) noexcept {
  if (index < depth_) cursor_->trip_mask = scopes_[index].outer_trip_mask;
  while (depth_ > index) {
    scope_slot& scope = scopes_[--depth_];
    if (scope.owes()) ++lost_contexts;
    if (const std::uint32_t serial = scope.serial.load(std::memory_order_relaxed); serial != ended)
      note_abandoned(scope, serial);
  }
  if (some_special) {
    some_special = false;
    for (const scope_slot& scope : scopes()) some_special = some_special || scope.is_special();
  }
}

/// Of the two that may say so, this thread and one that ends the scope now, the first counts it.
void thread_slot::note_abandoned(scope_slot& scope, std::uint32_t serial) noexcept {
  const bool is_counted = scope.ended_elsewhere.exchange(serial, std::memory_order_relaxed) == serial;
  scope.serial.store(0, std::memory_order_relaxed); // a thread that ends it from now on finds that it is gone
  scope.ended_elsewhere.store(0,
                              std::memory_order_relaxed); // the next one that is entered here has not ended
  if (is_counted) return;
  loss latest{.logger = scope.logger->id, .target = scope.target};
  copy_name(scope.context.name(), latest);
  counts.note_loss(loss_kind::scope_abandoned, latest);
}

void thread_slot::leave_abandoned_scopes() noexcept {
  std::size_t depth = depth_;
  while (depth > 0 && scopes_[depth - 1].abandoned()) --depth;
  take_away_scopes(depth, 0);
  if (depth > 0 || !holds_outside_) return;
  outside_has_scopes_times_ = true;
  enter_outside();
}

void thread_slot::pop_scopes(std::size_t index, std::uint32_t ended) noexcept {
  take_away_scopes(index, ended);
  if (depth_ > 0) return;
  if (holds_outside_) rewind_to_outside();
  end_statement();
}

void thread_slot::next_segment() noexcept {
  note_used();
  if (next_segment_forgets()) {
    const segment_marks& old = marks(oldest_);
    const std::uint64_t records = marks(oldest_ + 1).first_logged - old.first_logged;
    add(counts.discarded, records - old.settled());
    add(counts.forgotten, records - old.settled());
    ++oldest_;
  }
  start_segment(segment_ + 1);
  publish_counts(); // a scope may be long: whoever looks sees that the thread logs
}

std::uint64_t thread_slot::unsettled() noexcept {
  std::uint64_t count = live();
  for (std::uint64_t n = oldest_; n <= segment_; ++n) count -= marks(n).settled();
  return count;
}

void thread_slot::rewind_segments() noexcept {
  add(counts.discarded, unsettled());
  current_->pinned_bytes = 0;
  oldest_ = 0;
  start_segment(0);
}

void thread_slot::settle_passed(record_reader& record) noexcept {
  if ((record.flags() & (record_handed_over | record_passed)) == 0) {
    segment_marks& m = marks_of(record.data());
    if ((record.flags() & record_lost) != 0) {
      --m.lost;
      subtract(counts.lost, 1);
    }
    ++m.passed;
    add(counts.passed_only, 1);
  }
  record.set_flags(record_passed);
}

void thread_slot::settle_lost(record_reader& record) noexcept {
  if ((record.flags() & (record_handed_over | record_passed | record_lost)) != 0) return;
  ++marks_of(record.data()).lost;
  add(counts.lost, 1);
  record.set_flags(record_lost);
}

void thread_slot::settle_copied(position from) noexcept {
  for_each_held(from, [this](record_reader& record, position) {
    if ((record.flags() & record_handed_over) != 0) return;
    segment_marks& m = marks_of(record.data());
    if ((record.flags() & record_passed) != 0) {
      --m.passed;
      subtract(counts.passed_only, 1);
    } else if ((record.flags() & record_lost) != 0) {
      --m.lost;
      subtract(counts.lost, 1);
    }
    ++m.handed_over;
    add(counts.handed_over, 1);
    record.set_flags(record_handed_over);
  });
}

unsettled_records thread_slot::unsettled_before(position from) noexcept {
  unsettled_records found;
  note_used();
  for_each_record(current_->data, current_->used, segment_bytes_, oldest_position(), from,
                  [&found](std::byte* at, position) {
                    const std::uint8_t flags = record_reader(at).flags();
                    if ((flags & record_handed_over) != 0) return;
                    ++((flags & record_passed) != 0 ? found.passed
                       : (flags & record_lost) != 0 ? found.lost
                                                    : found.plain);
                  });
  return found;
}

void thread_slot::settle_partly_moved(const unsettled_records& before) noexcept {
  std::uint64_t fresh = live() - before.plain - before.passed - before.lost;
  std::uint64_t passed = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t n = oldest_; n <= segment_; ++n) {
    fresh -= marks(n).handed_over;
    passed += marks(n).passed;
    lost += marks(n).lost;
  }
  add(counts.handed_over, fresh);
  add(counts.discarded, before.plain);
  subtract(counts.passed_only, passed - before.passed);
  subtract(counts.lost, lost - before.lost);
}

bool thread_slot::pin(const record_reader& record, position at) noexcept {
  buffer& b = *current_;
  const std::size_t needed = sizeof at + record.bytes();
  if (b.pinned_bytes + needed > pin_bytes(segment_bytes_)) return false;
  std::memcpy(b.pins + b.pinned_bytes, &at, sizeof at);
  std::memcpy(b.pins + b.pinned_bytes + sizeof at, record.data(), record.bytes());
  b.pinned_bytes += static_cast<std::uint32_t>(needed);
  return true;
}

void thread_slot::drop_pins_before(position from) noexcept {
  buffer& b = *current_;
  std::byte* first = b.pins + b.pinned_bytes; // of those that stay: positions rise
  detail::for_each_pin(b, from, [&first](std::byte* record, position at) {
    if (record - sizeof at < first) first = record - sizeof at;
  });
  const auto stay = static_cast<std::size_t>(b.pins + b.pinned_bytes - first);
  std::memmove(b.pins, first, stay);
  b.pinned_bytes = static_cast<std::uint32_t>(stay);
}

std::uint64_t thread_slot::count_pins(position from, position to) noexcept {
  std::uint64_t count = 0;
  for_each_pin(from, [&count, to](const record_reader&, position at) { count += at < to ? 1 : 0; });
  return count;
}

void thread_slot::take_pins(buffer& leaving, position from) noexcept {
  leaving.pins_from = from;
  leaving.records += count_pins(from, UINT64_MAX);
  taken_pins_ = {from, {}};
  for_each_pin(from, [&u = taken_pins_.unsettled](const record_reader& record, position) {
    const std::uint8_t flags = record.flags();
    if ((flags & record_handed_over) != 0) return;
    ++((flags & record_passed) != 0 ? u.passed : (flags & record_lost) != 0 ? u.lost : u.plain);
  });
}

void thread_slot::settle_pins(bool here) noexcept {
  const unsettled_records& u = taken_pins_.unsettled;
  subtract(counts.discarded, u.plain);
  subtract(counts.forgotten, u.plain);
  subtract(counts.passed_only, u.passed);
  subtract(counts.lost, u.lost);
  add(counts.handed_over, u.plain + u.passed + u.lost);
  if (here)
    for_each_pin(taken_pins_.from,
                 [](record_reader& record, position) { record.set_flags(record_handed_over); });
}

void thread_slot::lose_pins(position from) noexcept {
  for_each_pin(from, [this](record_reader& record, position) {
    if ((record.flags() & (record_handed_over | record_passed | record_lost)) != 0) return;
    subtract(counts.discarded, 1);
    subtract(counts.forgotten, 1);
    add(counts.lost, 1);
    record.set_flags(record_lost);
  });
}

void thread_slot::copy_span(position from, buffer& destination) noexcept {
  note_used();
  destination.used = current_->used;
  destination.pinned_bytes = current_->pinned_bytes;
  if (current_->pinned_bytes != 0) std::memcpy(destination.pins, current_->pins, current_->pinned_bytes);
  for (std::uint64_t n = from / segment_bytes_; n <= segment_; ++n) {
    const std::size_t at = n % segments_per_buffer * segment_bytes_;
    const std::size_t skip = n == from / segment_bytes_ ? from % segment_bytes_ : 0;
    const std::size_t used = current_->used[n % segments_per_buffer];
    if (used > skip) std::memcpy(destination.data + at + skip, current_->data + at + skip, used - skip);
  }
}

} // namespace faultline::detail
