// One round of the flusher: looks at every thread, empties the queue, writes each thread's records in their
// order.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include <faultline/runtime.hpp>

#include "flusher/delivery.hpp"
#include "flusher/error_log.hpp"
#include "flusher/ledger.hpp"
#include "flusher/loss_report.hpp"
#include "flusher/router.hpp"
#include "flusher/stats_schedule.hpp"
#include "flusher/storm_control.hpp"
#include "flusher/view_builder.hpp"
#include "front/core.hpp"

namespace faultline::detail {

/// The order of one round, which DESIGN.md's rule of order fixes:
///
///   1. note how far each thread's outbox and hand-overs are published
///   2. empty the queue; each buffer joins its thread's list
///   3. for each thread: outbox entries and dumps, merged by position, up to what was noted in 1
///   4. flush the handlers
///
/// A hand-over is enqueued before the outbox entry behind it is published, so what step 1 sees of an outbox
/// has its hand-overs in the queue by step 2. The queue may still answer "empty" too early: a thread whose
/// next hand-over is missing stops there until the next round.
///
/// Flusher thread only.
class round {
 public:
  round(generation& threads, const runtime_options& options, ledger& counts);

  struct outcome {
    bool complete = false; ///< everything published before the round began is written and flushed
    bool written = false;  ///< as `complete`, though a handler may have something left to put out
    bool worked = false;   ///< there was something to do
    bool active = false;   ///< threads log, though perhaps nothing that is to be written
    bool busy = false;     ///< a thread comes near to what it can hold: the next round should begin at once
  };
  /// `all`: somebody waits for this round, so that handlers put out what they would rather keep.
  outcome run(bool all = false);
  /// Whether a thread has come near what it can hold since the last round.
  [[nodiscard]] bool is_pressed() const noexcept;

  /// Writes what storms still have to say and lets the handlers finish, until just before `until` if need
  /// be, which may change meanwhile. Once, before the flusher ends. True when no handler has anything left.
  bool end(const std::atomic<std::chrono::steady_clock::time_point>& until);
  void reopen(const std::vector<handler_ptr>& handlers);
  /// Takes `on_error` out of the options.
  void take_over(runtime_options& options) noexcept;
  void forget_parent(handler& h) noexcept { out_.after_fork(h); }
  /// What was lost until now was the parent's, which tells of it.
  void forget_losses() noexcept { losses_.forget(); }

 private:
  void read_clocks() noexcept;
  void advance_times() noexcept;
  void note_published(outcome& result);
  void take_buffers(outcome& result);
  bool visit(thread_slot& slot, outcome& result);
  bool write_thread(thread_slot& slot);
  bool write_entries(thread_slot& slot, std::uint64_t limit, std::uint64_t& at);
  void give_back(thread_slot& slot, std::uint64_t at);
  void write_entry(thread_slot& slot, outbox_entry& entry);
  std::span<handler* const> targets_of(thread_slot& slot, outbox_entry& entry, const record_reader& record,
                                       const node* logger);
  /// What became of a hand-over's records.
  struct fates {
    std::uint64_t written = 0;
    std::uint64_t suppressed = 0;
    std::uint64_t skipped = 0;
    std::uint64_t lost = 0;
  };
  void write_hand_over(thread_slot& slot, buffer& b);
  fates write_dumps(thread_slot& slot, buffer& b);
  void write_dump(thread_slot& slot, buffer& b, std::span<const trip_descriptor*> group);
  fates write_suppressed(buffer& b, const std::vector<handler*>& targets);
  void write_storms(bool all);
  void write_stats(bool last);
  void choose(const trip_descriptor& trip);

  generation& threads_;
  ledger& counts_;
  error_log errors_;
  view_builder views_;
  delivery out_;
  router router_;
  storm_control storms_;
  loss_report losses_;
  stats_schedule stats_due_;
  std::uint64_t next_dump_ = 1;
  std::uint64_t logged_ = 0;      // by all threads, as the last round saw it
  std::uint64_t advanced_to_ = 0; // ticks: the cursors' times

  // The dump at hand.
  struct candidate {
    std::byte* at;
    position where;
    const node* logger;
    bool sees = false;       ///< the scope at hand does
    bool seen = false;       ///< by one of the dump's scopes
    bool remembered = false; ///< and among the last `capacity` of it, or the first that it pinned
    bool chosen = false;     ///< and not at the target already
    bool written = false;    ///< to one target at least
    bool lost = false;
  };
  std::vector<candidate> candidates_;
  std::vector<record_view> block_;
  std::vector<handler*> targets_;
};

} // namespace faultline::detail
