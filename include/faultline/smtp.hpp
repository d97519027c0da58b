// Records as mail. The optional component faultline::smtp; it needs libcurl.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <faultline/export.hpp>
#include <faultline/handler.hpp>

namespace faultline {

/// How the connection to the mail server is protected.
enum class smtp_security : std::uint8_t {
  starttls, ///< begins in clear and must change to TLS before anything of value is sent (RFC 3207)
  tls,      ///< TLS from the first byte (RFC 8314)
  none,     ///< in clear; with a password only to this very machine
};

/// When the records that have gathered become a mail: at the first of `records_per_mail`, `digest` and, for a
/// dump, `one_mail_per_dump`; and in any case at `runtime::flush` and `stop`.
struct smtp_options {
  std::string host;                                 ///< name or address of the mail server
  std::uint16_t port = 0;                           ///< 0: 587 for `starttls`, 465 for `tls`, 25 for `none`
  smtp_security security = smtp_security::starttls; ///< how the connection is protected
  /// Certificates to trust, PEM; empty: the system's. A relative path is that of the working directory when
  /// the handler is made.
  std::string ca_file = {};
  bool verify = true;        ///< false: any certificate will do, so anybody in between can read the password
  std::string user = {};     ///< empty: no login
  std::string password = {}; ///< of the login; in no error's text
  std::string sender = {};   ///< an address such as "shop@example.org"
  std::vector<std::string> recipients = {}; ///< one to 100 addresses
  std::string subject =
      "{level} {logger}: {message}";  ///< a pattern (see make_text_formatter) for the mail's gravest record
  std::size_t records_per_mail = 100; ///< 1 to 100,000
  bool one_mail_per_dump = false;     ///< each dump is a mail of its own
  std::chrono::nanoseconds digest =
      std::chrono::minutes(1);        ///< no record waits longer for its mail to fill; 0: for ever
  std::size_t mails_per_hour = 60;    ///< beyond it records are lost, counted and told; 0: no limit
  std::size_t spool_bytes = 4U << 20; ///< text that gathers or waits; beyond it records are lost
  std::size_t spool_mails = 100;      ///< mails that wait; beyond it their records are lost
  std::chrono::nanoseconds connect_limit =
      std::chrono::seconds(10);                                  ///< until the server has accepted the login
  std::chrono::nanoseconds mail_limit = std::chrono::minutes(5); ///< for one mail on an open connection
  std::chrono::nanoseconds retry_first =
      std::chrono::seconds(1); ///< pause after a failure, doubled at each …
  std::chrono::nanoseconds retry_longest = std::chrono::minutes(5); ///< … up to this
  std::chrono::nanoseconds give_up_after =
      std::chrono::hours(4); ///< a mail that still fails at this age is lost
  std::chrono::nanoseconds finish_limit =
      std::chrono::seconds(5); ///< how long `stop` waits for the rest; 0 to one minute
};

/// What became of the records that a mail handler took, counted since it was made, in a forked child since
/// the fork:
///   taken = sent + held_back + spool_full + refused + given_up + unfinished + what waits still
/// All but the first two are in `handler::lost`, too.
struct smtp_counts {
  std::uint64_t taken = 0;      ///< records that were given to the handler
  std::uint64_t sent = 0;       ///< in mails that the server accepted
  std::uint64_t held_back = 0;  ///< by `mails_per_hour`
  std::uint64_t spool_full = 0; ///< by `spool_bytes` and `spool_mails`
  std::uint64_t refused = 0;    ///< in mails that the server refused for good (5xx)
  std::uint64_t given_up = 0;   ///< in mails older than `give_up_after`, or that could not be made
  std::uint64_t unfinished = 0; ///< not accepted when `finish_limit` was over
  std::uint64_t mails = 0;      ///< mails that the server accepted
  std::uint64_t failures = 0;   ///< attempts that failed
};

/// A handler that sends mail. It is driven by the flusher and never waits: a server that is slow, dead or
/// silent costs other handlers nothing. Only `stop` waits, within its deadline, and the handler's destructor,
/// up to `finish_limit`.
class FAULTLINE_API smtp_handler : public handler {
 public:
  /// Any thread; no lock. The counts are read one by one.
  [[nodiscard]] virtual smtp_counts counts() const noexcept = 0;
};

/// Makes it; nothing is connected before there is a mail to send. Throws `configuration_error` for an option
/// that cannot be used, such as an address with a line end in it, and `std::system_error` for a `ca_file`
/// that cannot be read. No error's text holds the password.
[[nodiscard]] FAULTLINE_API std::shared_ptr<smtp_handler> make_smtp_handler(smtp_options options);

} // namespace faultline
