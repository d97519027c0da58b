#include "handover/hand_over_queue.hpp"

#include <algorithm>
#include <vector>

#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#elif __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#elif __has_include(<moodycamel/concurrentqueue.h>)
#include <moodycamel/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif

#include "base/test_point.hpp"

namespace faultline::detail {
namespace {

// NOLINTBEGIN(readability-identifier-naming): the names are moodycamel's
struct queue_traits : moodycamel::ConcurrentQueueDefaultTraits {
  // A thread that comes to the next block of its queue asks one counter whether the flusher emptied it, not a
  // flag for each element: it asks in a failing request's time.
  static constexpr std::size_t EXPLICIT_BLOCK_EMPTY_COUNTER_THRESHOLD = 2;
  // The consumer goes on to the next thread after so many buffers of one: with the default of 256 the oldest
  // thread starves while others trip without a pause.
  static constexpr std::uint32_t EXPLICIT_CONSUMER_CONSUMPTION_QUOTA_BEFORE_ROTATE = 4;
  // Implicit producers off: every thread has a token.
  static constexpr std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;
};
// NOLINTEND(readability-identifier-naming)

using queue_type = moodycamel::ConcurrentQueue<buffer*, queue_traits>;

} // namespace

class hand_over_producer {
 public:
  explicit hand_over_producer(queue_type& queue) : token(queue) {}
  moodycamel::ProducerToken token;
};

struct hand_over_queue::state {
  queue_type queue{queue_type::BLOCK_SIZE};
  std::vector<std::unique_ptr<hand_over_producer>> producers; // destroyed before the queue
  moodycamel::ConsumerToken consumer{queue};
};

hand_over_queue::hand_over_queue() : state_(std::make_unique<state>()) {}
hand_over_queue::~hand_over_queue() = default;

// GCC 12 believes that enqueue_bulk may read a counter in a block at address 0.
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
hand_over_producer* hand_over_queue::make_producer(std::size_t most_outstanding) {
  auto& producer = state_->producers.emplace_back(std::make_unique<hand_over_producer>(state_->queue));
  // A producer keeps the blocks it once had and uses them again in turn. One block more than the outstanding
  // buffers fill leaves a free one whenever the last is full. The nulls that fetch these blocks are taken
  // out again at once; they go in together, or the flusher might empty a block before the next is asked for.
  const std::size_t blocks = (most_outstanding + queue_type::BLOCK_SIZE - 1) / queue_type::BLOCK_SIZE + 1;
  const std::vector<buffer*> nulls(blocks * queue_type::BLOCK_SIZE + 1);
  const std::size_t at_once = is_planted(planted_fault::nulls_go_one_by_one) ? 1 : nulls.size();
  for (std::size_t n = 0; n < nulls.size(); n += at_once) {
    if (!state_->queue.enqueue_bulk(producer->token, nulls.begin(), at_once)) throw std::bad_alloc();
    test_point(race_point::nulls_enqueued);
  }
  for (buffer* none = nullptr; state_->queue.try_dequeue_from_producer(producer->token, none);) {
  }
  return producer.get();
}
#pragma GCC diagnostic pop

bool hand_over_queue::try_hand_over(hand_over_queue& queue, hand_over_producer& producer,
                                    buffer* b) noexcept {
  return queue.state_->queue.try_enqueue(producer.token, b);
}

std::size_t hand_over_queue::take(buffer** into, std::size_t most) noexcept {
  if (is_planted(planted_fault::queue_seems_empty)) return 0;
  for (;;) {
    const std::size_t taken = state_->queue.try_dequeue_bulk(state_->consumer, into, most);
    // The flusher may have met the nulls of a producer that is just being made.
    const auto buffers = static_cast<std::size_t>(std::remove(into, into + taken, nullptr) - into);
    if (buffers > 0 || taken == 0) return buffers;
  }
}

} // namespace faultline::detail
