// The flusher's rest between two rounds, and who ends it.
//
//   awake ──(the flusher: nothing to do)──► resting ──(time is up)──► awake
//                                             │  ▲
//          (a thread that comes near its bound)  └(one more, should the first have lost the processor)
//                                             ▼  │
//                                            asked ──(the flusher, woken)──► awake
//
// Nothing may be lost because the flusher sleeps: a thread whose ring or buffers run low asks. The story is
// that of Dekker's algorithm: the thread publishes what presses and then asks; the flusher says that it rests
// and then looks for what presses. Both say so by a read-modify-write of one word, so one comes second and
// sees what the other did before: either the thread finds a flusher that rests and wakes it, or the flusher
// finds the thread's entries and does not rest. A thread that loses the processor between asking and waking
// leaves the flusher asleep until its rest is over or another thread, at half of its ring or its last spare
// buffer, wakes it once more.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace faultline::detail {

/// The word, a template over the atomic for the checker of memory orders (tests/model).
template <template <class> class Atomic> class basic_rest {
 public:
  static constexpr std::uint32_t resting = 1;
  static constexpr std::uint32_t asked = 2;
  static constexpr std::uint32_t asked_urgently = 4;

  /// The flusher. Acquire and release: sees what threads published before they asked, and threads that ask
  /// from now on see that it rests.
  void begin() noexcept { (void)word_.exchange(resting, std::memory_order_acq_rel); }
  /// The flusher, awake again. A read-modify-write, too, so that it sees what threads published that asked.
  void end() noexcept { (void)word_.exchange(0, std::memory_order_acq_rel); }
  /// A thread, after it published what presses: whether it is the one to wake the flusher, of those in need
  /// or of the others. Acquire and release as in `begin`.
  [[nodiscard]] bool ask(bool urgently) noexcept {
    const std::uint32_t mine = urgently ? asked | asked_urgently : asked;
    const std::uint32_t before = word_.fetch_or(mine, std::memory_order_acq_rel);
    return (before & resting) != 0 && ((before & asked) == 0 || (urgently && (before & asked_urgently) == 0));
  }
  [[nodiscard]] Atomic<std::uint32_t>& word() noexcept { return word_; }

 private:
  Atomic<std::uint32_t> word_{0};
};

template <class T> using rest_atomic = std::atomic<T>;

/// On a line of its own: threads that press write to it, and no one else's data moves with it.
class alignas(64) flusher_rest {
 public:
  /// The flusher: is about to rest. It looks for what presses behind this, and calls `end` in any case.
  void begin() noexcept { state_.begin(); }
  /// Between the two: sleeps until it is woken or so long; may return earlier.
  void sleep(std::chrono::nanoseconds longest) noexcept;
  void end() noexcept { state_.end(); }

  /// A thread that published what presses. Lock-free; one system call at most, by one thread a rest, or by
  /// two where one is in need.
  void ask(bool urgently) noexcept {
    if (state_.ask(urgently)) wake();
  }
  /// Whoever may make a system call: ends the rest that has begun.
  void interrupt() noexcept { ask(true); }

 private:
  void wake() noexcept;

  basic_rest<rest_atomic> state_;
};

} // namespace faultline::detail
