#include "buffer/outbox.hpp"

#include <faultline/detail/codec.hpp>

namespace faultline::detail {

outbox_entry* outbox::prepare(std::size_t targets, std::size_t context_bytes, std::size_t record_bytes,
                              bool tripping) noexcept {
  const std::size_t context = round_up_8(context_bytes);
  const std::size_t needed =
      sizeof(outbox_entry) + targets * sizeof(handler*) + context + round_up_8(record_bytes);
  const std::size_t to_end = bytes_ - (next_ & (bytes_ - 1));
  const std::size_t with_filler = needed > to_end ? to_end + needed : needed;
  const std::size_t bound = tripping ? bytes_ : bytes_ - bytes_ / 4;
  if (next_ - known_tail_ + with_filler > bound) {
    known_tail_ = tail_.load(std::memory_order_acquire); // pairs with `release`
    if (next_ - known_tail_ + with_filler > bound) return nullptr;
  }
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
  entry.context_bytes = static_cast<std::uint32_t>(context);
  entry.record_bytes = static_cast<std::uint32_t>(record_bytes);
  return &entry;
}

} // namespace faultline::detail
