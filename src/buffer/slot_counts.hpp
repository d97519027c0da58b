// What a thread counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "buffer/loss_note.hpp"

namespace faultline::detail {

/// The thread's counts. Written by the thread alone, by plain load and store; read by anyone. Relaxed: counts
/// order nothing; whoever wants exact sums waits until the thread is outside its scopes.
struct slot_counts {
  std::atomic<std::uint64_t> logged{0}, handed_over{0}, passed_only{0}, discarded{0}, lost{0}, forgotten{0};
  /// Of `logged`, what the thread holds, as it last said: no ledger has it yet.
  std::atomic<std::uint64_t> held{0};
  std::atomic<std::uint64_t> copies{
      0}; ///< records in hand-overs and outbox entries, as the flusher will count them
  std::atomic<std::uint64_t> contexts_suppressed{0}, after_stop{0};
  std::atomic<std::uint64_t> outbox_refusals{0}; ///< a record may be refused twice, and written all the same
  /// What each kind of loss_kind cost: records, contexts, scopes.
  std::array<std::atomic<std::uint64_t>, loss_kinds> losses{};
  std::array<loss_note, loss_kinds> latest_losses; ///< of each kind, for the line that tells of it

  /// One more of that kind.
  void note_loss(loss_kind kind, const loss& latest) noexcept;
};

/// Adds to a count that only the calling thread writes.
inline void add(std::atomic<std::uint64_t>& count, std::uint64_t n) noexcept {
  count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}
inline void subtract(std::atomic<std::uint64_t>& count, std::uint64_t n) noexcept {
  count.store(count.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
}

inline void slot_counts::note_loss(loss_kind kind, const loss& latest) noexcept {
  add(losses[index_of(kind)], 1);
  latest_losses[index_of(kind)].write(latest);
}

} // namespace faultline::detail
