#include "flusher/round.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/test_point.hpp"
#include "record/dictionary.hpp"
#include "record/thread_names.hpp"

namespace faultline::detail {
namespace {

/// The flusher's own count.
std::uint64_t written_of(const thread_slot& slot) noexcept {
  return slot.flusher.written.load(std::memory_order_relaxed);
}

} // namespace

round::round(generation& threads, const runtime_options& options, ledger& counts)
    : threads_(threads), counts_(counts), errors_(options.on_error, &threads.owner.standard_error),
      views_(threads.owner.geometry().clock, counts), out_(counts, errors_),
      storms_(threads.storms, options.storm_dumps_per_second, options.storm_burst),
      losses_(threads, counts, out_, router_), stats_due_(options.stats_interval, monotonic_nanoseconds()) {}

round::outcome round::run(bool all) {
  outcome result;
  result.complete = true;
  note_published(result);
  test_point(race_point::heads_noted);
  take_buffers(result);
  test_point(race_point::queue_emptied);
  read_clocks(); // later than all that this round writes
  for (thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next)
    result.complete = visit(*slot, result) && result.complete;
  write_storms(false);
  write_stats(false);
  result.written = result.complete;
  bool rest_is_left = out_.flush_handlers(all);
  if (losses_.write_due(monotonic_nanoseconds(),
                        all ? loss_report::moment::waited_for : loss_report::moment::round))
    rest_is_left = out_.flush_handlers(all);
  if (rest_is_left) result.complete = false;
  errors_.report_due();
  add(counts_.rounds, 1);
  return result;
}

bool round::is_pressed() const noexcept {
  for (const thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr;
       slot = slot->next) {
    const std::uint64_t outstanding = slot->hand_overs_published.published() - written_of(*slot);
    if (slot->out.is_pressed() || outstanding >= slot->geometry().pressing_buffers()) return true;
  }
  return false;
}

void round::read_clocks() noexcept {
  const std::chrono::nanoseconds step = views_.clock().refresh();
  if (step.count() != 0) {
    const double seconds = static_cast<double>(step.count()) * 1e-9;
    std::array<char, 100> text; // on the stack: a round that has no memory says so, too
    const auto end =
        fmt::format_to_n(text.data(), text.size(), "the time stamp counter stepped {} by {:.3f} s",
                         seconds < 0 ? "back" : "ahead", std::abs(seconds));
    errors_.add(error_log::kind::flusher, nullptr, {text.data(), end.size}, monotonic_nanoseconds());
  }
  advance_times();
}

/// For clock_kind::coarse.
void round::advance_times() noexcept {
  if (!threads_.owner.geometry().coarse) return;
  // Not in each round of a flusher that never rests: threads would miss the cache line at each record.
  constexpr std::chrono::microseconds least(100);
  const std::uint64_t now = views_.clock().ticks();
  if (now - advanced_to_ < threads_.owner.ticks_in(least)) return; // a step back is more, too
  advanced_to_ = now;
  const std::uint64_t implausible = now + threads_.owner.ticks_in(std::chrono::seconds(1));
  for (thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next)
    slot->advance_time(now, implausible);
}

bool round::end(const std::atomic<std::chrono::steady_clock::time_point>& until) {
  write_storms(true);
  write_stats(true);
  out_.flush_handlers(true);
  if (losses_.write_due(monotonic_nanoseconds(), loss_report::moment::end)) out_.flush_handlers(true);
  bool is_whole = !out_.finish_handlers(until);
  if (losses_.write_due(monotonic_nanoseconds(), loss_report::moment::after_end)) {
    out_.flush_handlers(true);
    is_whole = !out_.finish_handlers(until) && is_whole;
  }
  errors_.report_all();
  return is_whole;
}

void round::reopen(const std::vector<handler_ptr>& handlers) {
  errors_.accept_standard_error();
  for (const handler_ptr& h : handlers) out_.reopen(*h);
}

void round::take_over(runtime_options& options) noexcept {
  errors_.report_to(std::move(options.on_error)); // moved: a copy could throw
  storms_.set_limits(options.storm_dumps_per_second, options.storm_burst);
  stats_due_ = stats_schedule(options.stats_interval, monotonic_nanoseconds());
}

void round::note_published(outcome& result) {
  std::uint64_t logged = 0;
  for (thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr;
       slot = slot->next) {
    logged += slot->counts.logged.load(std::memory_order_relaxed);
    slot->flusher.outbox_limit = slot->out.published();
    slot->flusher.hand_overs_limit = slot->hand_overs_published.published();
  }
  result.active = logged != logged_;
  logged_ = logged;
}

void round::take_buffers(outcome& result) {
  std::array<buffer*, 64> taken;
  while (const std::size_t count = threads_.queue.take(taken.data(), taken.size())) {
    result.worked = true;
    for (std::size_t i = 0; i < count; ++i) {
      buffer& b = *taken[i];
      b.state.take();
      b.next = nullptr;
      auto& side = b.home->flusher;
      // A second one of that thread, or the one that it can spare.
      result.busy = result.busy || side.last != nullptr || b.home->geometry().buffers == 2;
      (side.last != nullptr ? side.last->next : side.first) = &b;
      side.last = &b;
      ++side.taken;
    }
  }
}

/// True when all that was noted for the thread is written, what it left in a slot of before first.
bool round::visit(thread_slot& slot, outcome& result) {
  if (thread_slot* const former = slot.flusher.former.load(std::memory_order_acquire)) [[unlikely]] {
    // The thread published it before anything here, if after the limits were noted.
    former->flusher.outbox_limit = former->out.published();
    former->flusher.hand_overs_limit = former->hand_overs_published.published();
    if (!visit(*former, result)) return false;
    slot.flusher.lost_contexts += std::exchange(former->flusher.lost_contexts, 0);
    slot.flusher.former.store(nullptr, std::memory_order_relaxed);
  }
  const std::uint64_t before = slot.out.taken();
  const bool whole = write_thread(slot);
  const std::uint64_t written = slot.out.taken() - before;
  result.worked = result.worked || written > 0;
  result.busy = result.busy || written > slot.geometry().outbox_bytes / 8;
  return whole;
}

bool round::write_thread(thread_slot& slot) {
  auto& side = slot.flusher;
  std::uint64_t at = slot.out.taken();
  bool whole = true;
  router_.forget();
  for (buffer* b = side.first; whole && b != nullptr; b = side.first) {
    // Entries before the hand-over's position were published before it was: they may be read beyond the noted
    // limit.
    const bool short_sighted = is_planted(planted_fault::noted_head_is_the_limit);
    whole = write_entries(slot, short_sighted ? side.outbox_limit : b->outbox_position, at);
    if (!whole) break;
    side.first = b->next;
    if (side.first == nullptr) side.last = nullptr;
    side.lost_contexts += b->lost_contexts;
    if (is_planted(planted_fault::buffer_is_given_back_first)) b->state.give_back();
    test_point(race_point::buffer_reached);
    write_hand_over(slot, *b);
    side.written.store(b->sequence, std::memory_order_relaxed);
    test_point(race_point::buffer_written);
    b->state.give_back();
  }
  if (whole) whole = write_entries(slot, side.outbox_limit, at);
  give_back(slot, at);
  return whole &&
         (written_of(slot) >= side.hand_overs_limit || is_planted(planted_fault::rounds_count_nothing));
}

/// Delivers what was gathered, and gives the entries before `at` back to the thread.
void round::give_back(thread_slot& slot, std::uint64_t at) {
  out_.settle();
  views_.clear();
  test_point(race_point::entries_written);
  slot.out.release(at);
}

/// Writes entries from `at` up to `limit`; false when a hand-over that comes first has not arrived.
bool round::write_entries(thread_slot& slot, std::uint64_t limit, std::uint64_t& at) {
  if (is_planted(planted_fault::entries_are_given_back_first)) slot.out.release(limit);
  while (at < limit) {
    outbox_entry& entry = slot.out.at(at);
    if ((entry.flags & outbox_filler) == 0) {
      test_point(race_point::entry_reached);
      if (entry.hand_overs_before > written_of(slot) && !is_planted(planted_fault::entries_wait_for_nothing))
        return false;
      add(counts_.taken, 1);
      try {
        write_entry(slot, entry);
      } catch (const std::exception& e) { // no memory: this record is lost, the ones behind it are not
        add(counts_.lost, 1);
        errors_.add(error_log::kind::flusher, nullptr, e.what(), monotonic_nanoseconds());
      }
    }
    at += entry.bytes;
    // In parts, so that a thread that presses finds room while the rest is being written.
    if (at - slot.out.taken() >= slot.geometry().outbox_bytes / 4) give_back(slot, at);
  }
  return true;
}

void round::write_entry(thread_slot& slot, outbox_entry& entry) {
  if (is_planted(planted_fault::slot_names_the_thread)) entry.thread = slot.thread;
  const record_reader record(entry.record());
  const node* const logger = threads_.owner.loggers.find(record.logger());
  const std::span<handler* const> targets = targets_of(slot, entry, record, logger);
  if (targets.empty()) return add(counts_.skipped, 1);
  const scope_context* scope = nullptr;
  if (entry.context_bytes > 0) scope = views_.build(*reinterpret_cast<const context_block*>(entry.context()));
  views_.build(record, logger, entry.thread, scope, 0, out_.next(targets));
  out_.add();
}

/// The handlers of the record's logger, but for those that the dump served; or the entry's own target. Good
/// until the next call.
std::span<handler* const> round::targets_of(thread_slot& slot, outbox_entry& entry,
                                            const record_reader& record, const node* logger) {
  if ((entry.flags & outbox_routed) == 0) {
    const auto own = entry.target_list();
    own.front() = threads_.owner.successor(own.front());
    return own;
  }
  if (logger == nullptr) return {};
  const std::span<handler* const> routed = router_.route(*logger, record.level(), entry.version);
  if ((entry.flags & outbox_in_dump) == 0) {
    // The last handler that would have taken it went while it was logged: an error is not silent for that.
    const bool is_error = (logger->flush_mask.load(std::memory_order_relaxed) & record.level_bit()) != 0;
    if (!routed.empty() || !is_error || entry.context_bytes > 0 || !slot.geometry().last_resort)
      return routed;
    targets_.assign(1, &threads_.owner.default_target());
    return targets_;
  }
  const auto* const served = slot.flusher.last_targets.data();
  const auto* const served_end = served + slot.flusher.last_target_count;
  targets_.clear();
  for (handler* target : routed)
    if (std::find(served, served_end, target) == served_end) targets_.push_back(target);
  return targets_;
}

void round::write_hand_over(thread_slot& slot, buffer& b) {
  add(counts_.hand_overs, 1);
  add(counts_.taken, b.records);
  fates f;
  try {
    f = write_dumps(slot, b);
  } catch (const std::exception& e) { // no memory: what it had is lost, and the buffer goes home all the same
    f = {0, 0, 0, b.records};
    errors_.add(error_log::kind::flusher, nullptr, e.what(), monotonic_nanoseconds());
  }
  add(counts_.written, f.written);
  add(counts_.suppressed, f.suppressed);
  add(counts_.skipped, f.skipped);
  add(counts_.lost, f.lost + (b.records - f.written - f.suppressed - f.skipped - f.lost));
}

round::fates round::write_dumps(thread_slot& slot, buffer& b) {
  if (is_planted(planted_fault::slot_names_the_thread)) b.thread = slot.thread;
  candidates_.clear();
  const auto consider = [this](std::byte* at, position where) {
    const node* logger = threads_.owner.loggers.find(record_reader(at).logger());
    candidates_.push_back({.at = at, .where = where, .logger = logger});
  };
  for_each_pin(b, b.pins_from, consider);
  for_each_record(b.data, b.used, slot.segment_bytes(), b.from, b.to, consider);

  auto& side = slot.flusher;
  std::vector<handler*> all;
  for (std::uint32_t i = 0; i < b.trips; ++i) {
    b.trip[i].target = threads_.owner.successor(b.trip[i].target);
    if (std::find(all.begin(), all.end(), b.trip[i].target) == all.end()) all.push_back(b.trip[i].target);
  }
  std::copy(all.begin(), all.end(), side.last_targets.begin());
  side.last_target_count = all.size();

  const bool by_record = b.trigger == trigger::level || b.trigger == trigger::exception;
  if (by_record && !storms_.allow(b.site, monotonic_nanoseconds(), all)) {
    ++side.lost_contexts; // an outer scope's later dump lacks what this one was to write
    return write_suppressed(b, all);
  }
  // Scopes with one target write one dump, at the place of the first of them.
  std::array<const trip_descriptor*, deepest_scope> group;
  for (handler* target : all) {
    std::size_t size = 0;
    for (std::uint32_t i = 0; i < b.trips; ++i)
      if (b.trip[i].target == target) group[size++] = &b.trip[i];
    write_dump(slot, b, {group.data(), size});
  }
  fates f;
  for (const candidate& c : candidates_) ++(c.written ? f.written : c.lost ? f.lost : f.skipped);
  return f;
}

/// Chooses the records that one scope writes.
void round::choose(const trip_descriptor& trip) {
  for (candidate& c : candidates_)
    c.sees = c.logger != nullptr && c.logger->reaches(*trip.logger) && trip.window.holds(c.where);
  const written_part part = part_of(trip.window, [this](auto&& use) {
    for (candidate& c : candidates_)
      if (c.sees) use(c.where);
  });
  for (candidate& c : candidates_) {
    c.seen = c.seen || c.sees;
    if (!c.sees || !part.has(c.where)) continue;
    c.remembered = true;
    if (!trip.window.is_written(record_reader(c.at))) c.chosen = true;
  }
}

void round::write_dump(thread_slot& slot, buffer& b, std::span<const trip_descriptor*> group) {
  for (candidate& c : candidates_) c.chosen = c.seen = c.remembered = false;
  for (const trip_descriptor* trip : group) choose(*trip);
  const trip_descriptor& first = *group.front();
  const scope_context* scope = views_.build(first.context);
  block_.clear();
  dump_envelope envelope;
  for (const candidate& c : candidates_) {
    envelope.forgotten += c.seen && !c.remembered ? 1 : 0;
    if (!c.chosen) continue;
    record_view& view = block_.emplace_back();
    const bool cut = views_.build(record_reader(c.at), c.logger, b.thread, scope, next_dump_, view);
    view.time_is_exact = b.times_are_exact || (record_reader(c.at).flags() & record_exact) != 0;
    envelope.truncated += cut ? 1 : 0;
  }
  if (block_.empty()) return; // no empty dumps

  envelope.id = next_dump_++;
  envelope.scope = *scope;
  envelope.logger = static_cast<const node&>(*first.logger).name;
  envelope.thread_id = b.thread.id;
  envelope.thread_name = thread_names::instance().find(b.thread.name);
  envelope.start = views_.clock().to_wall(first.start_ticks);
  envelope.duration = views_.clock().to_duration(first.start_ticks, b.trip_ticks);
  envelope.trigger = b.trigger;
  envelope.reason = b.trigger == trigger::level ? to_string(b.level)
                                                : std::string_view(first.reason.data(), first.reason_size);
  envelope.records = block_.size();
  envelope.forgotten += first.forgotten;
  envelope.truncated += first.context.cut() ? 1 : 0;
  envelope.lost_contexts = slot.flusher.lost_contexts;
  const bool good = out_.write(*first.target, batch(block_, &envelope));
  if (good) {
    add(counts_.dumps, 1);
    slot.flusher.lost_contexts = 0;
  } else {
    ++slot.flusher.lost_contexts;
  }
  for (candidate& c : candidates_) {
    if (!c.chosen) continue;
    c.written = c.written || good;
    c.lost = c.lost || !good;
  }
}

/// A storm costs the context, never the error: the record that tripped is the buffer's last.
round::fates round::write_suppressed(buffer& b, const std::vector<handler*>& targets) {
  add(counts_.contexts_suppressed, 1);
  if (candidates_.empty()) return {};
  const scope_context* scope = views_.build(b.trip[0].context);
  record_view view;
  views_.build(record_reader(candidates_.back().at), candidates_.back().logger, b.thread, scope, 0, view);
  bool good = false;
  for (handler* target : targets) good = out_.write(*target, batch({&view, 1})) || good;
  return {good ? 1U : 0U, candidates_.size() - 1, 0, good ? 0U : 1U};
}

namespace {

/// Where the errors of a storm come from. A bridge that knows no place has given its site what it tells them
/// by as the text of its argument.
std::string place_of(const dictionary_entry* entry) {
  if (entry == nullptr) return "at ?:0";
  const site_facts& facts = entry->facts;
  if (facts.line != 0) return fmt::format("at {}:{}", facts.file, facts.line);
  if (facts.argument_names.empty()) return "of no known place";
  return fmt::format("of {}", facts.argument_names);
}

} // namespace

void round::write_storms(bool all) {
  static const site_facts facts{"storm", __FILE__, "faultline", "", __LINE__};
  for (const auto& storm : storms_.summaries(monotonic_nanoseconds(), all)) {
    const std::string text = fmt::format("storm: the context of {} failures {} was suppressed",
                                         storm.contexts, place_of(dictionary::instance().find(storm.site)));
    targets_.clear();
    for (handler* target : storm.targets)
      if (handler* const present = threads_.owner.successor(target);
          std::find(targets_.begin(), targets_.end(), present) == targets_.end())
        targets_.push_back(present);
    for (handler* target : targets_) (void)out_.write_line(*target, level::warning, facts, text);
  }
}

void round::write_stats(bool last) {
  static const site_facts facts{"stats", __FILE__, "faultline", "", __LINE__};
  if (stats_due_.is_due(monotonic_nanoseconds(), last))
    (void)out_.write_line(threads_.owner.default_target(), level::info, facts,
                          to_string(threads_.owner.stats()));
}

} // namespace faultline::detail
