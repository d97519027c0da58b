// What a background handler's thread does, and what waits for it.
//
//   flusher:  add ─► waiting ──┐            nothing left ┌─► idle
//   thread:                    └─► write … ─► flush ─────┴─► inner is pending: flush again after a pause
//
//   mutex_:   held to move a batch or to look; never while the inner handler is called.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <faultline/handler.hpp>

#include "handlers/batch_copy.hpp"

namespace faultline::detail {

/// Shared by the background handler and its thread, so that a thread that hangs keeps what it needs. `run` is
/// the thread's; the other functions are the flusher's, and wait for nobody but for `finish`. Every record
/// that `add` took is written by the inner handler, or told by take_lost.
class background_worker {
 public:
  using clock = std::chrono::steady_clock;
  /// Pauses before an inner handler that is pending is flushed again: the first, and the longest.
  static constexpr std::chrono::milliseconds first_pause{1};
  static constexpr std::chrono::milliseconds longest_pause{10};

  background_worker(handler_ptr inner, std::size_t spool_bytes)
      : inner_(std::move(inner)), spool_bytes_(spool_bytes) {}

  /// Whether any batch would be refused.
  [[nodiscard]] bool is_full() const;
  /// False when there is no room; an empty spool takes a batch of any size. Throws std::bad_alloc.
  [[nodiscard]] bool add(std::unique_ptr<const batch_copy> records);
  /// A round ended: what was added is to be written now. `all`: see handler::flush_all.
  void flush(bool all);
  void reopen();
  /// Whether the inner handler has written and flushed all.
  [[nodiscard]] bool is_idle() const;
  /// Whether take_lost or take_error has something to tell.
  [[nodiscard]] bool has_news() const;
  /// Records lost since the last call.
  [[nodiscard]] std::uint64_t take_lost();
  /// What the inner handler threw since the last call, empty for nothing.
  [[nodiscard]] std::string take_error();

  /// Waits until the inner handler has finished, its last_flush included. At `until` what is left is lost,
  /// and the answer is false. What the inner handler took since it last said that it had nothing left counts
  /// in, all of it, since nobody knows how much of that it has put out; a call that hung at
  /// an earlier `finish` is not waited for again. `for_good`: `run` returns, and after true without touching
  /// the inner handler any more.
  [[nodiscard]] bool finish(clock::time_point until, bool for_good);

  /// The thread's work, until a `finish` for good.
  void run() noexcept;

 private:
  using lock = std::unique_lock<std::mutex>;

  [[nodiscard]] bool has_nothing_to_do() const noexcept;
  [[nodiscard]] bool is_over() const noexcept { return ending_ && !finishing_; }
  void run_round(lock& held);
  void write_front(lock& held);
  void finish_inner(lock& held);
  template <class Call> void call_inner(lock& held, Call&& call) noexcept;
  void give_up() noexcept;

  const handler_ptr inner_;
  const std::size_t spool_bytes_;
  mutable std::mutex mutex_; ///< guards all below
  std::condition_variable work_;
  std::condition_variable done_;
  std::deque<std::unique_ptr<const batch_copy>> waiting_;
  std::size_t bytes_ = 0;       ///< of what waits and of the batch in work
  std::uint64_t in_work_ = 0;   ///< records that the inner handler is writing now
  std::uint64_t unflushed_ = 0; ///< records that it took since it last had nothing to flush
  std::uint64_t counted_ = 0;   ///< of both, told by a `finish` that gave up; the inner one may tell, too
  std::uint64_t lost_ = 0;      ///< not told yet
  std::uint64_t errors_ = 0;    ///< not told yet
  std::string error_;           ///< the first of these
  bool at_work_ = false;        ///< the thread is in a round
  bool inner_pending_ = false;  ///< as the inner handler said after its last call
  bool all_wanted_ = false;     ///< the next flush is a flush_all
  bool reopen_wanted_ = false;  ///< before the next batch
  bool finishing_ = false;      ///< somebody waits in `finish`
  clock::time_point finish_until_{}; ///< when the inner handler's last_flush is to be over
  bool gave_up_ = false;             ///< a `finish` did, and the call that it waited for is not over
  bool ending_ = false;              ///< there will be no round but that of the `finish` that said so
};

} // namespace faultline::detail
