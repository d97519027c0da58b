// The handler that writes to systemd's journal.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <faultline/journald.hpp>

#include "journald/journal_entry.hpp"
#include "journald/journal_socket.hpp"

namespace faultline::detail {

/// The bound: a batch that would make what waits larger than `spool_bytes` is refused whole; only an empty
/// spool takes a batch of any size.
class journald_handler final : public handler {
 public:
  /// Pause before a failed send is tried again; a full queue of the journal is tried again next round.
  static constexpr std::chrono::nanoseconds retry_interval = std::chrono::milliseconds(100);
  /// Sends of one call, so that a spool that has filled does not keep the other handlers waiting: so many
  /// entries, or the first beyond so many bytes.
  static constexpr int sends_at_once = 512;
  static constexpr std::size_t bytes_at_once = 4U << 20;
  /// An entry that the system has no memory file for is tried so often, and then dropped: others wait behind.
  static constexpr int attempts_an_entry = 10;
  /// How long `last_flush` waits for a journal that is only slow.
  static constexpr std::chrono::nanoseconds finish_limit = std::chrono::seconds(1);

  explicit journald_handler(const journald_options& options);
  ~journald_handler() override;

  void write(const batch& records) override;
  /// Throws std::system_error when a failing state begins, other code has closed the socket, or a journal
  /// that is only slow has let the spool fill and a batch was refused, and not again before all entries were
  /// sent. Nothing is lost by it.
  void flush() override;
  /// Sends what waits while the journal takes it, for at most `finish_limit`, and counts the rest as lost.
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override {
    return !waiting_->entries.empty() || unreported_error_ != 0 || unreported_closing_;
  }
  void reopen() override;
  /// The parent sends what waits.
  void after_fork() override;

 private:
  struct entry {
    std::string text;
    bool is_record; ///< false for a dump's envelope, which is nobody's loss
  };
  /// What a forked child leaves alone.
  struct spool {
    std::deque<entry> entries;
    std::size_t bytes = 0;
    std::string text; ///< the formatter's, for one record
  };

  void send_waiting();
  void lose_waiting() noexcept;
  void abandon_copy();
  void throw_unreported();
  void take_front() noexcept;
  void refuse(std::size_t records) noexcept;
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept {
    return waiting_->entries.empty() || waiting_->bytes + bytes <= spool_bytes_;
  }

  const bool envelope_;
  const std::size_t spool_bytes_;
  const std::string path_; ///< absolute: chdir changes nothing
  journal_encoder encoder_;
  journal_socket socket_;
  std::unique_ptr<spool> waiting_ = std::make_unique<spool>();
  ::pid_t owner_process_;
  std::chrono::steady_clock::time_point retry_at_{};
  int failed_attempts_ = 0;       ///< with the first entry that waits, for its own sake
  bool reported_ = false;         ///< whether the failing state was or will be reported
  bool refusal_reported_ = false; ///< the same of the first batch that a full spool refused
  bool closing_reported_ = false; ///< the same of a socket that other code has closed
  bool unreported_closing_ = false;
  int unreported_error_ = 0;
};

} // namespace faultline::detail
