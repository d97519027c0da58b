// What the flusher keeps of a thread slot.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "buffer/buffer.hpp"
#include "buffer/loss_note.hpp"

namespace faultline::detail {

class thread_slot;

struct flusher_side {
  buffer* first = nullptr; ///< taken and not yet written, in order
  buffer* last = nullptr;
  std::uint64_t taken = 0; ///< hand-overs taken out of the queue
  /// Hand-overs dealt with, their buffers given back. Relaxed: the thread estimates by it how many buffers it
  /// has left; a buffer's own state tells it that one is free.
  std::atomic<std::uint64_t> written{0};
  std::uint64_t lost_contexts = 0; ///< to be told by the next dump
  /// Of the thread's counts of losses, what lines told of, and what the latest look found.
  std::array<std::uint64_t, loss_kinds> told_losses{}, seen_losses{};
  std::uint64_t outbox_limit = 0;
  std::uint64_t hand_overs_limit = 0;
  std::array<handler*, deepest_scope>
      last_targets{}; ///< of the latest dump, for the outbox entry that belongs to it
  std::size_t last_target_count = 0;
  /// Of a thread that `start` gave other sizes: its slot of before, whose records are written first. Release
  /// by the thread before it uses this slot, acquire by the flusher, which takes it away once that is done.
  std::atomic<thread_slot*> former{nullptr};
};

} // namespace faultline::detail
