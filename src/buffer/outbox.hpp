// The outbox: a thread's records that are always written, on their way to the flusher.
//
// A bounded ring with one producer, the thread, and one consumer, the flusher. Positions count bytes for
// ever; the ring holds [tail, head). An entry never straddles the ring's end: a filler takes the rest.
//
//     position 0 … tail ████████████ head …            offset = (position + shift) mod size
//     ring   │░░░░░░░░░░████████████░░░░░░░░░│
//            0                               size
//
// A thread that finds the ring empty goes on at offset 0 (it changes `shift`, which the flusher reads only
// where it has found an entry that was published later). So a thread whose flusher keeps up touches the
// ring's first pages alone, however large the ring is for bursts.
//
//   | entry header (32) | targets (8 each) | context (0 or its used bytes, padded) | record | padding to 8 |
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <faultline/detail/codec.hpp>

#include "base/thread_identity.hpp"
#include "buffer/publication.hpp"

namespace faultline {
class handler;
}

namespace faultline::detail {

enum outbox_flag : std::uint16_t {
  outbox_filler = 1,  ///< no record: skips to the ring's start
  outbox_routed = 2,  ///< goes to the handlers of its logger
  outbox_in_dump = 4, ///< the hand-over at this position holds it: targets of that dump have it already
};

struct outbox_entry {
  std::uint32_t bytes; ///< of the whole entry, a multiple of 8
  std::uint16_t flags;
  std::uint16_t targets;
  thread_identity thread;      ///< that logged
  std::uint16_t context_bytes; ///< as stored, padded to 8
  std::uint16_t record_bytes;
  std::uint32_t version;           ///< of the registry, when it was logged: which handlers its logger had
  std::uint64_t hand_overs_before; ///< hand-overs of the thread that come before it

  [[nodiscard]] std::span<handler*> target_list() noexcept {
    return {reinterpret_cast<handler**>(this + 1), targets};
  }
  [[nodiscard]] std::byte* context() noexcept {
    return reinterpret_cast<std::byte*>(this + 1) + targets * sizeof(handler*);
  }
  [[nodiscard]] std::byte* record() noexcept { return context() + context_bytes; }
};
static_assert(sizeof(outbox_entry) == 32, "the drawing above");

/// What a thread finds of its ring when it looks, each thirty-second of the ring.
enum class ring_pressure : std::uint8_t {
  none,
  some, ///< an eighth is on its way to the flusher
  high, ///< half of it is
};

class outbox {
 public:
  /// `ring` is `bytes` of zeroed memory that outlives the outbox; a power of two.
  void place(std::byte* ring, std::size_t bytes) noexcept {
    ring_ = ring;
    bytes_ = bytes;
    look_at_ = bytes / 32;
  }

  // --- the thread ---

  /// Room for an entry with so many targets, context and record bytes, filled in but for its contents; null
  /// when the ring is full. A quarter of the ring is for tripping records alone.
  [[nodiscard]] outbox_entry* prepare(std::size_t targets, std::size_t context_bytes,
                                      std::size_t record_bytes, bool tripping) noexcept;

  /// Where the prepared entry stands (or the next one will).
  [[nodiscard]] std::uint64_t position() const noexcept { return next_; }

  /// Publishes the prepared entry: one release store.
  void publish(const outbox_entry& entry) noexcept {
    next_ += entry.bytes;
    ends_.publish(next_);
  }

  /// What the latest look found, once. To be asked behind `publish`.
  [[nodiscard]] ring_pressure take_pressure() noexcept {
    return std::exchange(pressure_, ring_pressure::none);
  }

  // --- the flusher ---

  /// Whether an eighth of the ring or more waits for it.
  [[nodiscard]] bool is_pressed() const noexcept {
    // Signed: fillers are taken with the hand-over behind them, before the entry behind that is published.
    return static_cast<std::int64_t>(published() - taken()) >= static_cast<std::int64_t>(bytes_ / 8);
  }
  [[nodiscard]] std::uint64_t published() const noexcept { return ends_.published(); }
  [[nodiscard]] std::uint64_t taken() const noexcept { return ends_.taken(); }
  [[nodiscard]] outbox_entry& at(std::uint64_t position) const noexcept {
    return *reinterpret_cast<outbox_entry*>(ring_ + offset_of(position));
  }
  /// Gives everything before `position` back to the thread.
  void release(std::uint64_t position) noexcept { ends_.release(position); }

 private:
  [[nodiscard]] std::size_t offset_of(std::uint64_t position) const noexcept {
    return (position + shift_) & (bytes_ - 1);
  }
  void look() noexcept;

  std::byte* ring_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t next_ = 0;  // the thread's copy of the head, and of fillers not yet published
  std::uint64_t shift_ = 0; // of the ring below the positions; written by the thread while the ring is empty
  std::uint64_t look_at_ = 0; // the next position at which the thread looks how full the ring is
  ring_pressure pressure_ = ring_pressure::none;
  ring_ends ends_;
};

inline void outbox::look() noexcept {
  const std::uint64_t waiting = next_ - ends_.given_back();
  if (waiting == 0) shift_ = std::uint64_t{0} - next_; // modulo the size, as all offsets
  pressure_ = waiting < bytes_ / 8   ? ring_pressure::none
              : waiting < bytes_ / 2 ? ring_pressure::some
                                     : ring_pressure::high;
  look_at_ = next_ + bytes_ / 32;
}

inline outbox_entry* outbox::prepare(std::size_t targets, std::size_t context_bytes, std::size_t record_bytes,
                                     bool tripping) noexcept {
  if (next_ >= look_at_) [[unlikely]]
    look();
  const std::size_t context = round_up_8(context_bytes);
  const std::size_t needed =
      sizeof(outbox_entry) + targets * sizeof(handler*) + context + round_up_8(record_bytes);
  const std::size_t to_end = bytes_ - offset_of(next_);
  const std::size_t with_filler = needed > to_end ? to_end + needed : needed;
  const std::size_t bound = tripping ? bytes_ : bytes_ - bytes_ / 4;
  if (!ends_.have_room(next_, with_filler, bound)) return nullptr;
  if (needed > to_end) {
    // The filler is published with the entry behind it. All positions are multiples of 8, so its first 8
    // bytes fit.
    outbox_entry& filler = at(next_);
    filler.bytes = static_cast<std::uint32_t>(to_end);
    filler.flags = outbox_filler;
    next_ += to_end;
  }
  outbox_entry& entry = at(next_);
  entry.bytes = static_cast<std::uint32_t>(needed);
  entry.flags = 0;
  entry.targets = static_cast<std::uint16_t>(targets);
  entry.context_bytes = static_cast<std::uint16_t>(context);
  entry.record_bytes = static_cast<std::uint16_t>(record_bytes);
  return &entry;
}

} // namespace faultline::detail
