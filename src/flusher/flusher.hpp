// The one thread that takes buffers, decodes, formats and writes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "flusher/rest_schedule.hpp"
#include "flusher/round.hpp"

namespace faultline::detail {

/// Runs rounds: every busy_interval while there is work, ever more rarely up to idle_interval when there is
/// none. Threads that would lose something end its rest (see flusher_rest), and so do `flush` and `stop`.
class flusher {
 public:
  flusher(generation& threads, const runtime_options& options);
  /// Stops without a deadline if nobody did.
  ~flusher();
  flusher(const flusher&) = delete;
  flusher& operator=(const flusher&) = delete;

  /// Starts the thread, unless the mode is manual. Throws std::system_error.
  void start();

  bool flush(std::chrono::nanoseconds deadline);
  bool stop(std::chrono::nanoseconds deadline);
  /// One round on the calling thread, in manual mode.
  bool run_once();
  void reopen(std::vector<handler_ptr> handlers);
  /// Other options, from the next round on; the mode is no other than `thread` or `spinning`.
  void take_over(runtime_options options);
  /// In a forked child, before `start`: the handlers hear of the fork before the first round.
  void forget_parent(std::vector<handler_ptr> handlers) {
    from_parent_ = std::move(handlers);
    round_.forget_losses();
  }
  [[nodiscard]] bool ended();
  [[nodiscard]] const ledger& counts() const noexcept { return counts_; }

 private:
  using clock = std::chrono::steady_clock;
  enum class state : std::uint8_t { running, stopping, ended };

  /// Manual mode: one caller at a time runs rounds. True of whoever got the turn in time. (A std::timed_mutex
  /// would do, but the ThreadSanitizer of clang 14 does not know pthread_mutex_clocklock.)
  class turn {
   public:
    turn(flusher& owner, clock::time_point until);
    ~turn();
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    explicit operator bool() const noexcept { return taken_; }

   private:
    flusher& owner_;
    bool taken_ = false;
  };

  void run();
  round::outcome run_round(bool all);
  void drain();
  [[nodiscard]] bool flush_by_hand(clock::time_point until);
  bool stop_by_hand(clock::time_point until);

  generation& threads_;
  runtime_options options_; // changed by the flusher thread under the mutex: others read them under it
  ledger counts_;
  round round_;
  rest_schedule rests_; // the flusher thread's
  // The latest deadline of those in `stop`; manual mode: of who drains. Relaxed: it publishes nothing else.
  std::atomic<clock::time_point> stop_until_{clock::time_point{}};
  std::mutex mutex_; // guards all below; never taken by a thread that logs
  std::condition_variable done_;
  state state_ = state::running;
  std::uint64_t tickets_ = 0; // given out by flush
  std::uint64_t fulfilled_ = 0;
  std::uint64_t waiting_ = 0; // threads in flush
  std::vector<handler_ptr> to_reopen_;
  std::optional<runtime_options> to_take_over_;
  std::vector<handler_ptr> from_parent_;
  bool in_turn_ = false; // manual mode: somebody runs a round
  bool drained_ = false;
  std::thread thread_;
};

} // namespace faultline::detail
