// The stores by which a thread's memory changes owner, apart from what is in it: templates over the atomics,
// so that a checker of memory orders can run what is shipped (tests/model/publication_relacy.cpp).
#pragma once

#include <atomic>
#include <cstdint>

namespace faultline::detail {

enum class buffer_state : std::uint8_t { free, owned, queued, flushing };

/// Who owns a buffer: free → owned by the slot's thread → queued → flushing → free. A buffer on its way to
/// the flusher is published by the queue, one on its way back by `give_back`.
template <template <class> class Atomic> class basic_ownership {
 public:
  /// The thread. Acquire: the flusher's reads are over before this thread writes.
  [[nodiscard]] bool is_free() const noexcept {
    return state_.load(std::memory_order_acquire) == buffer_state::free;
  }
  /// The thread, of a buffer that it found free or owns: nobody else looks.
  void set(buffer_state state) noexcept { state_.store(state, std::memory_order_relaxed); }
  /// The flusher, of one that it took out of the queue.
  void take() noexcept {
    state_.store(buffer_state::flushing, std::memory_order_relaxed);
  } // its own until it is free
  /// The flusher. Release: the thread may write again, its own reads are over.
  void give_back() noexcept { state_.store(buffer_state::free, std::memory_order_release); }

 private:
  Atomic<buffer_state> state_{buffer_state::free};
};

/// The ends of a ring with one producer, the thread, and one consumer, the flusher. Positions count bytes for
/// ever; the ring holds [tail, head).
template <template <class> class Atomic> class basic_ring_ends {
 public:
  /// The thread: whether what is there, up to `next`, and so many bytes more stay within the bound.
  [[nodiscard]] bool have_room(std::uint64_t next, std::uint64_t more, std::uint64_t bound) noexcept {
    if (next - known_tail_ + more <= bound) return true;
    return next - given_back() + more <= bound;
  }
  /// The thread: how far the flusher has given back, by a new reading.
  [[nodiscard]] std::uint64_t given_back() noexcept {
    known_tail_ = tail_.load(std::memory_order_acquire); // pairs with `release`
    return known_tail_;
  }
  /// The thread: everything before that position is written. Release: pairs with `published`.
  void publish(std::uint64_t next) noexcept { head_.store(next, std::memory_order_release); }

  /// The flusher: everything before it may be read.
  [[nodiscard]] std::uint64_t published() const noexcept { return head_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t taken() const noexcept {
    return tail_.load(std::memory_order_relaxed);
  } // its own store
  /// The flusher: gives everything before the position back to the thread. Release: its reads are over before
  /// the bytes are written again.
  void release(std::uint64_t position) noexcept { tail_.store(position, std::memory_order_release); }

 private:
  std::uint64_t known_tail_ = 0; // the thread's last reading of tail_
  Atomic<std::uint64_t> head_{0};
  // A line of its own: the flusher writes it, the thread seldom reads it.
  alignas(64) Atomic<std::uint64_t> tail_{0};
};

/// Whether a thread has the slot: one after another.
template <template <class> class Atomic> class basic_tenancy {
 public:
  /// Acquire: sees all that the slot's last thread did.
  [[nodiscard]] bool try_begin() noexcept {
    bool expected = false;
    return !held_.load(std::memory_order_relaxed) &&
           held_.compare_exchange_strong(expected, true, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  /// Publishes all that the thread did to the next one.
  void end() noexcept { held_.store(false, std::memory_order_release); }
  [[nodiscard]] bool held() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  Atomic<bool> held_{false};
};

/// How many hand-overs a thread has enqueued. Published behind each enqueue, read before the queue: a round
/// knows how many it must have taken.
template <template <class> class Atomic> class basic_hand_over_count {
 public:
  void publish(std::uint64_t count) noexcept { count_.store(count, std::memory_order_release); }
  [[nodiscard]] std::uint64_t published() const noexcept { return count_.load(std::memory_order_acquire); }

 private:
  Atomic<std::uint64_t> count_{0};
};

template <class T> using standard_atomic = std::atomic<T>;
using ownership = basic_ownership<standard_atomic>;
using ring_ends = basic_ring_ends<standard_atomic>;
using tenancy = basic_tenancy<standard_atomic>;
using hand_over_count = basic_hand_over_count<standard_atomic>;

} // namespace faultline::detail
