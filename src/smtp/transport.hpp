// What carries one mail after the other to a server, without waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace faultline::detail {

/// What became of an attempt.
enum class attempt : std::uint8_t {
  none,    ///< nothing was begun
  busy,    ///< drive it again
  sent,    ///< the server has accepted the mail
  delayed, ///< it failed, and may succeed later: 4xx, a connection that was refused or broke
  refused, ///< the server refused this mail for good: 5xx
  barred,  ///< no mail will go before somebody changes something: login, certificate, TLS
};

/// The seam between the handler and the network. One thread at a time.
class mail_transport {
 public:
  using clock = std::chrono::steady_clock;

  mail_transport() = default;
  mail_transport(const mail_transport&) = delete;
  mail_transport& operator=(const mail_transport&) = delete;
  virtual ~mail_transport() = default;

  /// Begins to send a mail (see make_mail) on the open connection or on a new one. `drive` ends it.
  virtual void begin(std::string_view mail) = 0;
  /// Goes on. Waits for answers only while they come at once, and never beyond `until`. An answer other than
  /// `busy` is given once.
  virtual attempt drive(clock::time_point until) = 0;
  /// Why the last attempt failed, one line; empty again once a mail is begun.
  [[nodiscard]] virtual const std::string& failure() const noexcept = 0;
  /// What a mail that was sent could not do, such as a recipient that was refused; empty for nothing.
  [[nodiscard]] virtual const std::string& complaint() const noexcept = 0;
  /// Says goodbye on an open connection; `drive` until it is not `open`.
  virtual void quit() = 0;
  [[nodiscard]] virtual bool open() const noexcept = 0;
  /// Ends all at once. What was begun counts as not sent.
  virtual void close() noexcept = 0;
  /// In the child of a fork: closes the child's copies of the descriptors and touches nothing else. The
  /// object is not used again and must not be destroyed.
  virtual void abandon() noexcept = 0;
};

} // namespace faultline::detail
