// The base of the handlers that write text to a descriptor.
//
//   healthy ── a write fails ──► failing ── a retry empties the spool ──► healthy
//                                │     ▲
//                                └─────┘ a retry fails; at most one every 100 ms
//
//   healthy ── the descriptor is closed or another's, and there is no path to open ──► absent: batches are
//   refused and counted, and the descriptor is looked at every 100 ms ── it is back ──► healthy
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <sys/types.h>

#include <faultline/handler.hpp>

#include "base/system_calls.hpp"
#include "handlers/own_descriptor.hpp"
#include "handlers/spool.hpp"

namespace faultline::detail {

/// A failure as a report tells it: what was tried, without the error's own words.
struct failure_report {
  int error = 0;
  std::string words;

  /// Of what was caught; `error` is 0 unless it was a std::system_error.
  [[nodiscard]] static failure_report of(const std::exception& e);
};

/// Formats batches into a spool and writes the spool by write(2). What a failing descriptor does not take
/// stays in the spool, in order and to the byte, and is tried again: no line is torn, repeated or overtaken.
/// Before each write(2) the descriptor is compared with what it was opened on, by one fstat: a number that
/// the program closed, and perhaps used again, is not written to.
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
  [[nodiscard]] bool pending() const noexcept override {
    return !kept_->text.empty() || kept_->unreported.error != 0 || kept_->notice.error != 0;
  }

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

  /// Called before each write(2), with facts about the descriptor, which is open on what it was opened on.
  /// May put another descriptor in place, of which the facts are then, and returns how many of the spool's
  /// bytes may be written to it at once: none, and the text waits, for what `begin_failure` was told.
  [[nodiscard]] virtual std::size_t prepare_write([[maybe_unused]] struct ::stat& facts) {
    return kept_->text.unwritten().size();
  }
  /// Called where the descriptor is closed (no facts) or open on something else. True when there is one now
  /// that may be written to, and `facts` are of that. Here nothing can be done: the text is lost.
  [[nodiscard]] virtual bool regain_target([[maybe_unused]] struct ::stat& facts) {
    lose_text();
    return false;
  }

  /// Whether there is a descriptor that may be written to; facts about that. One system call.
  [[nodiscard]] bool find_target(struct ::stat& facts);

  [[nodiscard]] const system_calls& calls() const noexcept { return calls_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] spool& text_spool() noexcept { return kept_->text; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.number; }
  [[nodiscard]] const own_descriptor& own() const noexcept { return descriptor_; }
  void set_descriptor(const own_descriptor& opened) noexcept { descriptor_ = opened; }
  /// Closes it, unless it is somebody else's by now; what it was opened on is still known.
  void close_descriptor() noexcept { descriptor_.close(calls_); }

  /// The error of the failing state, 0 while healthy.
  [[nodiscard]] int current_error() const noexcept { return error_; }
  /// Begins or continues the failing state: the next attempt comes after a pause. `cause` is what is
  /// reported; without one it is the error of a write.
  void begin_failure(int error, failure_report cause = {});
  /// Has the next flush report something that is no failing state.
  void notify(failure_report what) { kept_->notice = std::move(what); }
  /// Lets the next attempt happen at once, as after the descriptor was replaced.
  void retry_now() noexcept { retry_at_ = {}; }
  /// The target is known again: see `lose_text`.
  void end_absence() noexcept {
    if (std::exchange(is_absent_, false)) reported_ = false;
    error_ = 0;
  }

 private:
  /// What a forked child must neither touch nor free.
  struct changing_state {
    spool text;
    failure_report cause;      ///< of the failing state
    failure_report unreported; ///< the same, or that of a first refusal, until flush tells it
    failure_report notice;
  };

  [[nodiscard]] bool may_write() const { return error_ == 0 || calls_.monotonic_now() >= retry_at_; }
  void format(const batch& records);
  [[nodiscard]] bool fits() const noexcept;
  [[nodiscard]] bool is_back();
  void lose_text();
  bool drain();
  void refuse(std::size_t records) noexcept;

  const system_calls& calls_;
  const std::string name_;
  const std::size_t spool_bytes_;
  const std::size_t records_an_entry_;
  std::unique_ptr<changing_state> kept_ = std::make_unique<changing_state>();
  own_descriptor descriptor_;
  ::pid_t owner_process_;
  int error_ = 0;
  bool is_absent_ = false;        ///< the target is lost, and with it what is written meanwhile
  bool reported_ = false;         ///< whether the failing state was or will be reported
  bool refusal_reported_ = false; ///< the same of the first batch that a full spool refused
  std::chrono::nanoseconds retry_at_{};
};

} // namespace faultline::detail
