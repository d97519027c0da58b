#include "runtime/runtime_core.hpp"

#include <algorithm>
#include <string>

#include <faultline/configuration_error.hpp>

#include "base/fork_guard.hpp"
#include "handlers/claim.hpp"
#include "handlers/handler_access.hpp"
#include "handlers/stream_handler.hpp"

namespace faultline::detail {
namespace {

void check_range(std::string_view option, std::size_t value, std::size_t least, std::size_t most) {
  if (value < least || value > most)
    throw configuration_error(option, std::to_string(value),
                              "must be from " + std::to_string(least) + " to " + std::to_string(most));
}

void check_interval(std::string_view option, std::chrono::nanoseconds value) {
  if (value < std::chrono::nanoseconds(0) || value > std::chrono::minutes(1))
    throw configuration_error(option, std::to_string(value.count()) + " ns", "must be from 0 to one minute");
}

void check_stats_interval(std::chrono::nanoseconds value) {
  if (value < std::chrono::nanoseconds(0) || value > std::chrono::hours(24))
    throw configuration_error("stats_interval", std::to_string(value.count()) + " ns",
                              "must be from 0 to one day");
}

} // namespace

const runtime_options& in_range(const runtime_options& o) {
  constexpr std::size_t kib = 1024;
  check_range("buffer_bytes", o.buffer_bytes, 4 * kib, 16 * kib * kib);
  if (o.buffer_bytes % (4 * kib) != 0)
    throw configuration_error("buffer_bytes", std::to_string(o.buffer_bytes), "must be a multiple of 4096");
  check_range("buffers_per_thread", o.buffers_per_thread, 2, 256);
  check_range("outbox_bytes", o.outbox_bytes, 4 * kib, 16 * kib * kib);
  if ((o.outbox_bytes & (o.outbox_bytes - 1)) != 0)
    throw configuration_error("outbox_bytes", std::to_string(o.outbox_bytes), "must be a power of two");
  check_range("argument_bytes", o.argument_bytes, 16, 65'535);
  if (o.clock > clock_kind::scope)
    throw configuration_error("clock", std::to_string(static_cast<int>(o.clock)), "not a clock kind");
  if (o.flusher > flusher_mode::spinning)
    throw configuration_error("flusher", std::to_string(static_cast<int>(o.flusher)), "not a flusher mode");
  if (o.on_outbox_full > outbox_policy::block)
    throw configuration_error("on_outbox_full", std::to_string(static_cast<int>(o.on_outbox_full)),
                              "not a policy");
  if (o.on_outbox_full == outbox_policy::block && o.flusher == flusher_mode::manual)
    throw configuration_error("on_outbox_full", "block", "a manual flusher would be waited for in vain");
  if (o.wake > wake_policy::never)
    throw configuration_error("wake", std::to_string(static_cast<int>(o.wake)), "not a policy");
  check_interval("busy_interval", o.busy_interval);
  check_interval("idle_interval", o.idle_interval);
  check_range("storm_burst", o.storm_burst, 1, UINT32_MAX);
  check_stats_interval(o.stats_interval);
  return o;
}

namespace {

slot_geometry geometry_of(const runtime_options& o) noexcept {
  const clock_source source = detect_clock_source();
  const statement_clock statements = o.clock != clock_kind::tsc    ? statement_clock::cursor
                                     : source == clock_source::tsc ? statement_clock::tsc
                                                                   : statement_clock::other;
  return {o.buffer_bytes,
          o.buffers_per_thread,
          o.outbox_bytes,
          o.argument_bytes,
          statements,
          o.clock == clock_kind::coarse,
          source,
          o.on_outbox_full == outbox_policy::block,
          o.hold_outside_scopes,
          o.last_resort,
          o.wake == wake_policy::under_pressure};
}

} // namespace

runtime_core::runtime_core(runtime_options options) : core(geometry_of(in_range(options))) {
  if (!options.default_target) options.default_target = make_default_target();
  set_options(std::move(options));
}

/// Without a target the one that is there stays.
void runtime_core::set_options(runtime_options options) {
  const handler_ptr target = options.default_target;
  if (target) keep(*target);
  set_geometry(geometry_of(options));
  if (target) set_default_target(*target, has_begun());
  if (!has_begun()) standard_error = standard_error_now(); // later it is the flusher's
  options_ = std::move(options);
}

runtime_core::~runtime_core() {
  end_generation();
  give_back_handlers();
}

void runtime_core::configure(runtime_options options) {
  (void)in_range(options);
  runtime_options for_flusher = options; // copied here: what that runs is the program's, and may log
  {
    const std::lock_guard lock(fork_guard::instance());
    refuse_second_start();
    if (has_begun() && options.flusher == flusher_mode::manual && options_.flusher != flusher_mode::manual)
      throw configuration_error("flusher", "manual",
                                "the flusher's thread runs already: the runtime began with " + began_by());
    set_options(std::move(options));
    started_ = true;
    if (running_generation* g = running()) g->flushing.take_over(std::move(for_flusher));
  }
  try {
    begin({.call = "start"});
  } catch (...) { // no memory, or no thread: it may be called again
    const std::lock_guard lock(fork_guard::instance());
    started_ = false;
    throw;
  }
  renew_slot(*this);
}

void runtime_core::check_startable() const {
  const std::lock_guard lock(fork_guard::instance());
  refuse_second_start();
}

void runtime_core::refuse_second_start() const {
  const bool is_stopped = stopped_.load(std::memory_order_relaxed);
  if (!started_ && !is_stopped) return;
  std::string reason = is_stopped ? "it was stopped" : "it was started before: call start once";
  if (!began_by().empty()) reason += "; it began with " + began_by();
  throw configuration_error("start", "default runtime", reason);
}

void runtime_core::keep(handler& h) {
  const std::lock_guard lock(configuration_mutex());
  const auto same = [&h](const handler_ptr& known) { return known.get() == &h; };
  if (std::any_of(handlers_.begin(), handlers_.end(), same)) return;
  handlers_.push_back(h.shared_from_this());
  try {
    claim(h, this);
    (void)handler_access::replace_keeper(h, handler_access::calling(this), this);
  } catch (...) {
    handlers_.pop_back();
    throw;
  }
}

void runtime_core::give_back_handlers() noexcept {
  for (const handler_ptr& h : handlers_) give_back(*h, this);
}

std::vector<handler_ptr> runtime_core::kept() const {
  const std::lock_guard lock(configuration_mutex());
  return handlers_;
}

generation* runtime_core::make_generation(std::uint64_t epoch) {
  auto made = std::make_unique<running_generation>(*this, epoch, options_);
  // The first generation of a forked child: what the parent's flusher still had to write is the parent's.
  if (has_begun()) made->flushing.forget_parent(kept());
  if (stopped_.load(std::memory_order_relaxed))
    made->accepting.store(false, std::memory_order_relaxed);
  else
    made->flushing.start(); // where the system has no thread for it the next statement tries again
  generations_.fetch_add(1, std::memory_order_relaxed);
  return made.release();
}

bool runtime_core::flush(std::chrono::nanoseconds deadline) {
  if (stopped_.load(std::memory_order_relaxed) || this_thread_is_barred()) return false;
  running_generation* g = running();
  return g == nullptr || g->flushing.flush(deadline); // nothing was ever logged: nothing to write
}

bool runtime_core::stop(std::chrono::nanoseconds deadline) {
  if (this_thread_is_barred()) return false;
  {
    const std::lock_guard lock(
        fork_guard::instance()); // a generation that is being made is there, or sees the flag
    stopped_.store(true, std::memory_order_relaxed);
  }
  running_generation* g = running();
  const bool is_whole = g == nullptr || g->flushing.stop(deadline);
  gave_up_.store(g != nullptr && !g->flushing.ended(), std::memory_order_relaxed);
  return is_whole;
}

void runtime_core::stop_at_exit() noexcept {
  if (!gave_up_.load(std::memory_order_relaxed)) (void)stop(std::chrono::seconds(10));
}

bool runtime_core::run_once() {
  if (options_.flusher != flusher_mode::manual)
    throw std::logic_error(
        "runtime::run_once: the runtime's flusher has a thread of its own (flusher_mode::manual has none)");
  auto& g = static_cast<running_generation&>(begin({.call = "run_once"}));
  return g.flushing.run_once();
}

void runtime_core::reopen() {
  if (has_begun()) // in a forked child, where handlers forget the parent's text first, it may have to begin
                   // anew
    static_cast<running_generation&>(begin({.call = "reopen"})).flushing.reopen(kept());
  else {
    if (const descriptor_identity now = output_stream_at(STDERR_FILENO); now.is_known()) standard_error = now;
    for (const handler_ptr& h : kept()) h->reopen();
  }
}

void runtime_core::abandon() noexcept {
  stop(std::chrono::seconds(10));
  running_generation* g = running();
  // A handler that still hangs keeps its runtime's memory for ever: better than a thread that waits for it.
  if (g != nullptr && !g->flushing.ended()) return;
  give_back_handlers();
  release();
}

runtime_stats runtime_core::stats() const {
  runtime_stats s;
  const auto read = [](const std::atomic<std::uint64_t>& c) { return c.load(std::memory_order_relaxed); };
  s.reentered = read(reentered);
  const std::uint64_t slotless = s.reentered + read(barred) + read(unmade);
  s.logged = s.lost = slotless;
  s.scopes_refused = read(scopes_unattached);
  s.scopes_abandoned = read(scopes_moved);
  for (const handler_ptr& h : kept()) s.handler_lost += h->lost();
  running_generation* g = running();
  if (g == nullptr) return s;

  std::uint64_t copies = 0;
  for (thread_slot* slot = g->slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    const slot_counts& c = slot->counts;
    s.logged -= read(
        c.held); // first, so that a thread that logs meanwhile shows too many rather than fewer than none
    s.logged += read(c.logged);
    s.handed_over += read(c.handed_over);
    s.passed_only += read(c.passed_only);
    s.discarded += read(c.discarded);
    s.lost += read(c.lost);
    s.forgotten += read(c.forgotten);
    copies += read(c.copies);
    const auto lost_by = [&](loss_kind kind) { return read(c.losses[index_of(kind)]); };
    s.contexts_refused += lost_by(loss_kind::no_buffer);
    s.contexts_suppressed += read(c.contexts_suppressed);
    s.outbox_full += read(c.outbox_refusals);
    s.after_stop += read(c.after_stop);
    s.scopes_refused += lost_by(loss_kind::scope_refused);
    s.scopes_abandoned += lost_by(loss_kind::scope_abandoned) + lost_by(loss_kind::scope_moved);
    s.threads += slot->attached() ? 1 : 0;
    s.thread_memory_bytes += slot->memory_bytes();
  }
  const ledger& l = g->flushing.counts();
  s.taken = read(l.taken);
  s.written = read(l.written);
  s.suppressed = read(l.suppressed);
  s.skipped = read(l.skipped);
  s.flusher_lost = read(l.lost);
  s.in_flight = copies > s.taken ? copies - s.taken : 0;
  s.dumps = read(l.dumps);
  s.hand_overs = read(l.hand_overs);
  s.contexts_suppressed += read(l.contexts_suppressed);
  s.handler_errors = read(l.handler_errors);
  s.format_errors = read(l.format_errors);
  s.rounds = read(l.rounds);
  return s;
}

} // namespace faultline::detail
