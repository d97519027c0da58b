// One connection to a mail server at a time, and the mails that go over it.
//
//   closed ─ begin ─► connecting ─► sender ─► recipient … ─► data ─► text ─► verdict ─► ready
//     ▲                    │           ▲          │           │                │          │ │
//     │                    │           └──────────│───────────│────────────────│─ begin ──┘ │ quit
//     │                    │                  resetting ◄─────┴────────────────┘            ▼
//     └────────────────────┴───────────── a time limit, a broken line, 421 ◄─────────── quitting
//
// libcurl does what is up to `connecting`: names, TCP, greeting, EHLO, STARTTLS, the certificate, login. The
// mail itself is spoken here, over curl_easy_send and curl_easy_recv: libcurl 7.88's own SMTP waits, inside
// curl_multi_perform, for the answer to the end of a mail and for the one to QUIT, as long as the server
// likes.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>

#include <faultline/smtp.hpp>

#include "smtp/curl_descriptors.hpp"
#include "smtp/transport.hpp"

namespace faultline::detail {

class smtp_session final : public mail_transport {
 public:
  /// The options are as `checked_options` returns them. Throws std::runtime_error where libcurl cannot be
  /// used.
  explicit smtp_session(const smtp_options& options);
  ~smtp_session() override;

  void begin(std::string_view mail) override;
  attempt drive(clock::time_point until) override;
  [[nodiscard]] const std::string& failure() const noexcept override { return failure_; }
  [[nodiscard]] const std::string& complaint() const noexcept override { return complaint_; }
  void quit() override;
  [[nodiscard]] bool open() const noexcept override { return state_ != state::closed; }
  void close() noexcept override;
  void abandon() noexcept override;

 private:
  enum class state : std::uint8_t {
    closed,
    connecting,
    sender,
    recipient,
    data,
    text,
    verdict,
    ready,
    resetting,
    quitting,
  };
  /// What a step found out.
  enum class step : std::uint8_t { waits, went_on, ended };

  void connect();
  void set_up(CURL* easy);
  step go_on();
  step go_on_connecting();
  step write_out();
  step read_reply();
  step take_reply();
  step take_recipient_reply();
  step take_rejection(std::string_view what);
  void ask(state next, std::string command);
  void ask_sender();
  step fail(attempt kind, std::string why);
  step break_off(std::string why, attempt kind = attempt::delayed); ///< and the connection is closed
  void disconnect() noexcept;
  [[nodiscard]] bool await_server() noexcept;
  [[nodiscard]] std::string reply_text() const;
  [[nodiscard]] std::string connect_failure(CURLcode result);

  const smtp_options options_;
  const std::string url_;
  curl_line* line_ = nullptr; // non-null outside `closed`
  std::array<char, CURL_ERROR_SIZE> curl_error_{};

  state state_ = state::closed;
  attempt result_ = attempt::none; // of the mail at hand
  clock::time_point deadline_;     // of the state's work
  std::string data_;               // the mail at hand, as DATA sends it
  std::string output_;             // a command, or the mail
  std::size_t written_ = 0;        // of output_
  std::string input_;
  int code_ = 0; // of the reply at hand, which is the beginning of input_
  std::size_t reply_bytes_ = 0;
  std::size_t recipient_ = 0; // asked about
  std::size_t accepted_ = 0;  // recipients
  bool postponed_ = false;    // a recipient got a 4xx
  std::string failure_;
  std::string complaint_;
};

} // namespace faultline::detail
