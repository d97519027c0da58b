// The handler that sends to a syslog server.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <sys/types.h>

#include <faultline/syslog.hpp>

#include "syslog/message_queue.hpp"
#include "syslog/syslog_encoder.hpp"
#include "syslog/syslog_link.hpp"

namespace faultline::detail {

/// Encodes batches into a queue and drives the link from `write` and `flush`, without ever waiting.
///
/// The bound: a batch that would make the waiting messages larger than `spool_bytes` is refused whole; only
/// an empty queue takes a batch of any size. Beside them at most `kept_bytes` of sent messages are kept for
/// `keep_interval`, and wait again when the link breaks.
class syslog_handler final : public handler {
 public:
  /// No less than the link's unacknowledged bytes: these are not lost with it.
  static constexpr std::size_t kept_bytes = syslog_link::unacknowledged_bytes;
  static constexpr std::chrono::nanoseconds keep_interval = std::chrono::seconds(1);
  static constexpr std::chrono::milliseconds first_retry_interval{100};
  /// Sends of one call, so that a spool that has filled does not keep the other handlers waiting: datagrams,
  /// or some messages of a stream each.
  static constexpr int sends_at_once = 512;
  /// How long `last_flush` waits for a server that is there.
  static constexpr std::chrono::nanoseconds finish_limit = std::chrono::seconds(1);

  explicit syslog_handler(const syslog_options& options);
  ~syslog_handler() override;

  void write(const batch& records) override;
  /// Throws std::system_error when a failing state begins, other code has closed the socket, or a server that
  /// is only slow has let the queue fill and a batch was refused, and not again before all messages were
  /// sent. Nothing is lost by it.
  void flush() override;
  /// Sends what waits while the link is open or about to be, for at most `finish_limit`, and counts the rest
  /// as lost: what a server has not acknowledged, too, with what was sent shortly before.
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override {
    return !queue_->all_sent() || unverified_ || unreported_error_ != 0 || unreported_closing_;
  }
  /// Connects anew, with what waits and what was sent lately.
  void reopen() override;
  /// The parent sends what waits.
  void after_fork() override;

  [[nodiscard]] const syslog_link& link() const noexcept { return link_; } ///< for tests

 private:
  [[nodiscard]] bool connect(std::chrono::nanoseconds now);
  [[nodiscard]] bool has_own_socket() noexcept;
  void advance();
  [[nodiscard]] bool look_at_link(std::chrono::nanoseconds now);
  void send_waiting(std::chrono::nanoseconds now);
  void fail(int error, std::chrono::nanoseconds now);
  void refuse(const batch& records, bool has_numbers);
  void throw_unreported();
  void lose_waiting() noexcept;
  void abandon_copies();
  void add(std::vector<message_queue::entry>& entries, std::size_t& bytes, syslog_message&& message,
           bool is_record) const;

  const bool envelope_;
  const std::size_t spool_bytes_;
  const std::chrono::nanoseconds connect_timeout_;
  const std::chrono::nanoseconds max_retry_interval_;
  syslog_encoder encoder_;
  syslog_link link_;
  std::unique_ptr<message_queue> queue_ = std::make_unique<message_queue>();
  std::unique_ptr<std::string> text_ = std::make_unique<std::string>(); ///< the formatter's, for one record
  ::pid_t owner_process_;

  std::chrono::nanoseconds retry_at_{};
  std::chrono::nanoseconds pause_{};    ///< before the next attempt, zero after a link that worked
  std::chrono::nanoseconds began_at_{}; ///< the attempt to connect
  std::size_t most_datagram_bytes_;     ///< what the link is known not to refuse
  bool unverified_ = false;             ///< something was sent since the link was last looked at
  bool reported_ = false;               ///< whether the failing state was or will be reported
  bool refusal_reported_ = false;       ///< the same of the first batch that a full queue refused
  bool closing_reported_ = false;       ///< the same of a socket that other code has closed
  bool unreported_closing_ = false;
  int unreported_error_ = 0;
};

} // namespace faultline::detail
