// The handler that sends mail.
//
//   write ──► group ── full, old, a dump, flush_all ──► queue ──► transport
//               │                │                        │ ▲         │
//               │ spool_bytes    │ mails_per_hour,        │ └─────────┤ delayed, barred: after a pause
//               ▼                ▼ spool_mails            ▼           ▼ refused
//              lost             lost          lost: give_up_after    lost
//
// Each way to "lost" has its counter in smtp_counts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include <faultline/smtp.hpp>

#include "smtp/mail_group.hpp"
#include "smtp/rate_limit.hpp"
#include "smtp/transport.hpp"

namespace faultline::detail {

/// The clocks of a mailer; a test has its own.
struct mail_clock {
  std::chrono::nanoseconds (*monotonic_now)();
  std::chrono::system_clock::time_point (*wall_now)();
};
[[nodiscard]] const mail_clock& real_mail_clock() noexcept;

class mailer final : public smtp_handler {
 public:
  using transport_maker = std::function<std::unique_ptr<mail_transport>()>;

  /// The options are as `checked_options` returns them. Throws `configuration_error` for a wrong subject
  /// pattern.
  mailer(smtp_options options, transport_maker make_transport, const mail_clock& clock = real_mail_clock());
  ~mailer() override;

  void write(const batch& records) override;
  /// Sends what is full or old enough. Throws std::runtime_error once when sending begins to fail or a bound
  /// is reached, so that it is reported; nothing is lost by that.
  void flush() override;
  void flush_all() override;
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override;
  /// The parent sends what is the parent's; the child forgets it, uncounted, and closes its copies of the
  /// parent's sockets.
  void after_fork() override;

  [[nodiscard]] smtp_counts counts() const noexcept override;

 private:
  struct mail {
    std::string text;
    std::uint64_t records;
    std::chrono::nanoseconds made;
    std::array<std::uint64_t, 2> told; ///< of untold, below
  };
  /// Everything that a fork may find half changed.
  struct work {
    explicit work(std::size_t mails_per_hour) : rate(mails_per_hour) {}

    rate_limit rate;
    mail_group group;
    std::deque<mail> queue;
    std::size_t queued_bytes = 0;
    std::unique_ptr<mail_transport> transport;
    std::uint64_t in_hand = 0; ///< records of the group that the present `write` brought
    bool sending = false;      ///< the transport has the queue's first mail
    std::chrono::nanoseconds pause{};
    std::chrono::nanoseconds retry_at{};
    bool barred = false;  ///< the last failure is one that waiting does not mend
    bool failing = false; ///< reported, and not again before a mail was sent
    bool holding = false; ///< a bound is reached and reported
    std::string unreported;
    /// Records lost and not yet told in a mail: held back by the rate, and for any other reason.
    std::array<std::uint64_t, 2> untold{};
  };
  using counter = std::atomic<std::uint64_t>;

  void add(const batch& records);
  void add_dump(const batch& records);
  void close_group() noexcept;
  void queue_group();
  [[nodiscard]] std::string body_of_group() const;
  void pump();
  void take_result(attempt result);
  void drop_front(counter& reason) noexcept;
  void drop_old();
  void lose(std::uint64_t records, counter& reason, std::uint64_t in_hand = 0) noexcept;
  void report(std::string_view what) noexcept;
  void abandon_work();
  void throw_unreported();
  [[nodiscard]] std::chrono::nanoseconds now() const { return clock_.monotonic_now(); }

  const smtp_options options_;
  const formatter_ptr subject_;
  const transport_maker make_transport_;
  const mail_clock& clock_;
  const std::string domain_; // of Message-IDs
  ::pid_t owner_process_;
  std::uint64_t mails_made_ = 0;
  std::unique_ptr<work> work_;

  // Counters: relaxed, nothing depends on them. Written by the flusher.
  counter taken_{0};
  counter sent_{0};
  counter held_back_{0};
  counter spool_full_{0};
  counter refused_{0};
  counter given_up_{0};
  counter unfinished_{0};
  counter mails_{0};
  counter failures_{0};
};

} // namespace faultline::detail
