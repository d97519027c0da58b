// Messages on their way to a server, and those that may have to travel again.
//
//   entries_:  | kept | kept | partly sent | waiting | waiting |
//              0             next_
//
// A message that the kernel took stays as `kept` for a while: when the connection breaks, `rewind` makes it
// wait again.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include <sys/uio.h>

#include "syslog/syslog_encoder.hpp"

namespace faultline::detail {

/// Not synchronised: it belongs to one flusher thread.
class message_queue {
 public:
  struct entry {
    syslog_message message;
    bool is_record = true; ///< false for a dump's envelope, which is nobody's loss
    std::chrono::nanoseconds sent_at{};
  };

  /// Adds a batch's entries, whose texts have `bytes` together.
  void add(std::vector<entry>&& entries, std::size_t bytes);

  [[nodiscard]] bool all_sent() const noexcept { return next_ == entries_.size(); }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept { return waiting_bytes_; }
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }

  /// The first message that waits. Precondition: not all_sent().
  [[nodiscard]] std::string_view front() const noexcept { return entries_[next_].message.text; }

  /// Fills `parts` with what is left of the first messages that wait; returns how many it filled.
  [[nodiscard]] std::size_t gather(std::span<::iovec> parts) const noexcept;

  /// Notes that the kernel took the next `bytes` bytes, at that time.
  void consume(std::size_t bytes, std::chrono::nanoseconds now);

  /// Cuts the first message that waits to `most` bytes. False where that cannot be.
  [[nodiscard]] bool cut_front(std::size_t most);
  /// Takes the first message that waits out. True if it was a record.
  bool drop_front();

  /// Forgets kept messages that were sent before `time`.
  void forget_sent_before(std::chrono::nanoseconds time);
  /// Forgets the oldest kept messages until the others have at most that many bytes.
  void forget_beyond(std::size_t kept_bytes);

  /// All that is kept waits again, from its first byte.
  void rewind() noexcept;

  /// Records among the messages that wait.
  [[nodiscard]] std::size_t waiting_records() const noexcept;

  /// Forgets what waits and what is kept.
  void clear() noexcept;

 private:
  void forget_oldest();

  std::deque<entry> entries_;
  std::size_t next_ = 0;
  std::size_t offset_ = 0; ///< bytes of entries_[next_] that the kernel took
  std::size_t waiting_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
};

} // namespace faultline::detail
