// The base of the handlers that write text to a descriptor.
//
//   healthy ── a write fails ──► failing ── a retry empties the spool ──► healthy
//                                │     ▲
//                                └─────┘ a retry fails; at most one every 100 ms
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include <faultline/handler.hpp>

#include "base/system_calls.hpp"
#include "handlers/spool.hpp"

namespace faultline::detail {

/// Formats batches into a spool and writes the spool by write(2). What a failing descriptor does not take
/// stays in the spool, in order and to the byte, and is tried again: no line is torn, repeated or overtaken.
///
/// The bound: a batch that would make the spool larger than `spool_bytes` is refused whole, and its records
/// are counted by report_lost; only an empty spool takes a batch of any size, so that a large dump is not
/// hopeless.
class text_handler : public handler {
 public:
  /// Pause before a failed write is tried again: many times within the second that recovery may take, and
  /// rare enough to cost nothing.
  static constexpr std::chrono::nanoseconds retry_interval = std::chrono::milliseconds(100);
  /// Pause after EAGAIN: a full pipe or terminal is not an error, its reader is only slower.
  static constexpr std::chrono::nanoseconds busy_interval = std::chrono::milliseconds(1);
  /// More text than this is written by `write` itself, so that a round's text stays in the second-level
  /// cache.
  static constexpr std::size_t write_bytes = 256U << 10;
  /// `last_flush` gives up after so long in which the descriptor took nothing, and after so long in all, if
  /// its time is not up before.
  static constexpr std::chrono::milliseconds finish_limit{1000};
  static constexpr std::chrono::milliseconds longest_finish{10'000};

  void write(const batch& records) override;

  /// Writes the spool. Throws std::system_error when a failing state begins, so that it is reported, and not
  /// again until the spool was emptied; nothing is lost by it. For a full pipe it throws only when the spool
  /// is full too and the first batch is refused.
  void flush() override;
  /// Writes as long as the descriptor takes something, waiting for at most a second between two bytes. The
  /// rest is counted by report_dropped; throws std::system_error that says so.
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override { return !spool_->empty() || unreported_error_ != 0; }

  /// The parent writes what was in the spool at the fork. Not counted: it is not lost.
  void after_fork() override;

 protected:
  /// `name` is what errors are reported for. Records of the pass path come in entries of at most
  /// `records_an_entry`, at least 1; a dump is one. `calls` must outlive the handler.
  text_handler(std::string name, std::size_t spool_bytes, const system_calls& calls,
               std::size_t records_an_entry = SIZE_MAX);

  /// Writes what can be written now and counts the rest as lost; for the destructors of derived classes. In a
  /// forked child that was not told by after_fork it writes nothing.
  void finish() noexcept;

  /// Called before each write(2): may put another descriptor in place, and returns how many of the spool's
  /// bytes may be written to it at once: none, and the text waits.
  [[nodiscard]] virtual std::size_t prepare_write() { return spool_->unwritten().size(); }

  [[nodiscard]] const system_calls& calls() const noexcept { return calls_; }
  [[nodiscard]] spool& text_spool() noexcept { return *spool_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  void set_descriptor(int descriptor) noexcept { descriptor_ = descriptor; }

  /// The error of the failing state, 0 while healthy.
  [[nodiscard]] int current_error() const noexcept { return error_; }
  /// Lets the next attempt happen at once, as after the descriptor was replaced.
  void retry_now() noexcept { retry_at_ = {}; }

 private:
  [[nodiscard]] bool may_write() const { return error_ == 0 || calls_.monotonic_now() >= retry_at_; }
  void format(const batch& records);
  [[nodiscard]] bool fits() const noexcept;
  bool drain();
  void begin_failure(int error);
  void refuse(std::size_t records) noexcept;

  const system_calls& calls_;
  const std::string name_;
  const std::size_t spool_bytes_;
  const std::size_t records_an_entry_;
  std::unique_ptr<spool> spool_ = std::make_unique<spool>();
  int descriptor_ = -1;
  ::pid_t owner_process_;
  int error_ = 0;
  int unreported_error_ = 0;
  bool reported_ = false;         ///< whether the failing state was or will be reported
  bool refusal_reported_ = false; ///< the same of the first batch that a full spool refused
  std::chrono::nanoseconds retry_at_{};
};

} // namespace faultline::detail
