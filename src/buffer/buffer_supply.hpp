// A thread's buffers: which of them is free, and how many are on their way to the flusher.
//
//   | made: owned, queued, flushing or free … | not made: nobody used them yet, their pages are not in memory
//   |
//
// All are address space that the slot reserved. The next one is made when those before it are on their way,
// so that in memory are as many as the thread's worst burst of failures needed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "buffer/buffer.hpp"
#include "buffer/slot_geometry.hpp"

namespace faultline::detail {

/// Used by the slot's thread alone; the flusher gives buffers back by their states, and counts them.
class buffer_supply {
 public:
  /// Where the heads, the records and the pins of all buffers lie. Makes the first two.
  void place(thread_slot& home, const slot_geometry& geometry, std::byte* heads, std::byte* records,
             std::byte* pins) noexcept {
    home_ = &home;
    count_ = geometry.buffers;
    pressing_ = geometry.pressing_buffers();
    buffer_bytes_ = geometry.buffer_bytes;
    pin_bytes_ = detail::pin_bytes(geometry.segment_bytes());
    buffers_ = reinterpret_cast<buffer*>(heads);
    records_ = records;
    pins_ = pins;
    (void)make();
    next_ = &make();
  }

  [[nodiscard]] buffer& first() noexcept { return *buffers_; }
  /// Which one is probably free when `current` leaves.
  void expect_to_leave(const buffer& current) noexcept { next_ = &buffers_[&current == buffers_ ? 1 : 0]; }
  void prefetch() const noexcept { __builtin_prefetch(next_); }

  /// A free one, or null. `handed_over`: by the thread so far; `written`: of these, given back.
  [[nodiscard]] buffer* find_free(std::uint64_t handed_over,
                                  const std::atomic<std::uint64_t>& written) noexcept {
    return next_->state.is_free() ? next_ : find_another(handed_over, written);
  }

  /// After a hand-over: whether an eighth of the buffers is on its way, as far as the thread knows;
  /// `none_left` tells whether all spare ones are.
  [[nodiscard]] bool is_short(std::uint64_t handed_over, const std::atomic<std::uint64_t>& written,
                              bool& none_left) noexcept {
    if (handed_over - known_written_ < pressing_) return false;
    known_written_ = written.load(std::memory_order_relaxed);
    none_left = handed_over - known_written_ + 1 >= count_;
    return handed_over - known_written_ >= pressing_;
  }

 private:
  [[gnu::noinline]] buffer* find_another(std::uint64_t handed_over,
                                         const std::atomic<std::uint64_t>& written) noexcept {
    known_written_ = written.load(std::memory_order_relaxed);
    const bool all_are_out = handed_over - known_written_ + 1 >= made_;
    if (!all_are_out || made_ == count_)
      for (std::size_t i = 0; i < made_; ++i)
        if (buffers_[i].state.is_free()) return &buffers_[i];
    return made_ < count_ ? &make() : nullptr;
  }
  buffer& make() noexcept {
    const std::size_t i = made_++;
    auto* b = new (buffers_ + i) buffer;
    b->home = home_;
    b->data = records_ + i * buffer_bytes_;
    b->pins = pins_ + i * pin_bytes_;
    return *b;
  }

  buffer* next_ = nullptr;
  buffer* buffers_ = nullptr;
  std::uint64_t known_written_ = 0; // the latest reading
  std::size_t pressing_ = 1;        // so many on their way wake the flusher
  std::size_t count_ = 0;
  std::size_t made_ = 0;
  std::size_t buffer_bytes_ = 0;
  std::size_t pin_bytes_ = 0;
  std::byte* records_ = nullptr;
  std::byte* pins_ = nullptr;
  thread_slot* home_ = nullptr;
};

} // namespace faultline::detail
