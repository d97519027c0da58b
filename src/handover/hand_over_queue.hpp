// The queue through which buffers change owner: moodycamel::ConcurrentQueue behind a narrow interface. The
// one source file behind this header is the only one that includes moodycamel's.
#pragma once

#include <cstddef>
#include <memory>

namespace faultline::detail {

struct buffer;

/// A thread slot's place in the queue, recycled with the slot: buffers handed over through one producer
/// arrive in order. Opaque.
class hand_over_producer;

class hand_over_queue {
 public:
  hand_over_queue();
  ~hand_over_queue();
  hand_over_queue(const hand_over_queue&) = delete;
  hand_over_queue& operator=(const hand_over_queue&) = delete;

  /// Makes a producer with room for all the buffers of its slot, so that `try_hand_over` never needs memory.
  /// Allocates. Any thread; the caller serialises.
  [[nodiscard]] hand_over_producer* make_producer(std::size_t most_outstanding);

  /// Publishes the buffer to the flusher. Wait-free, allocates nothing. False only if more than
  /// `most_outstanding` are on their way, which the number of a slot's buffers rules out. The thread that has
  /// the producer's slot.
  [[nodiscard]] static bool try_hand_over(hand_over_queue& queue, hand_over_producer& producer,
                                          buffer* b) noexcept;

  /// Takes up to `most` buffers. 0 does not prove that the queue is empty. The flusher.
  [[nodiscard]] std::size_t take(buffer** into, std::size_t most) noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace faultline::detail
