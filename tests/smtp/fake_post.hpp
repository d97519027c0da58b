// A mailer whose server, clock and formatter are a test's.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/mail_text.hpp"
#include "smtp/mailer.hpp"
#include "smtp/options.hpp"
#include "support/catch.hpp"
#include "support/sample_records.hpp"

namespace faultline::test {

/// What the fake server does with each mail, what it received, and the time.
struct fake_post {
  std::deque<detail::attempt> verdicts; ///< for the next attempts; then `sent`
  std::vector<std::string> mails;
  std::size_t attempts = 0;
  std::size_t abandoned = 0;
  std::chrono::nanoseconds now = std::chrono::hours(1);

  static fake_post*& current() {
    static fake_post* post = nullptr;
    return post;
  }
  fake_post() { current() = this; }
  ~fake_post() { current() = nullptr; }

  static const detail::mail_clock& clock() {
    static constexpr detail::mail_clock fake = {.monotonic_now = [] { return current()->now; },
                                                .wall_now = [] { return sample_time(); }};
    return fake;
  }
};

class fake_transport final : public detail::mail_transport {
 public:
  void begin(std::string_view mail) override {
    mail_ = mail;
    begun_ = open_ = true;
  }
  detail::attempt drive(clock::time_point) override {
    if (!begun_) {
      open_ = open_ && !quitting_;
      return detail::attempt::none;
    }
    fake_post& post = *fake_post::current();
    detail::attempt verdict = detail::attempt::sent;
    if (!post.verdicts.empty()) {
      verdict = post.verdicts.front();
      if (verdict == detail::attempt::busy) return verdict; // stays so
      post.verdicts.pop_front();
    }
    ++post.attempts;
    begun_ = quitting_ = false;
    if (verdict == detail::attempt::sent) post.mails.push_back(mail_);
    return verdict;
  }
  [[nodiscard]] const std::string& failure() const noexcept override { return failure_; }
  [[nodiscard]] const std::string& complaint() const noexcept override { return none_; }
  void quit() override { quitting_ = true; }
  [[nodiscard]] bool open() const noexcept override { return open_; }
  void close() noexcept override { open_ = begun_ = false; }
  void abandon() noexcept override { ++fake_post::current()->abandoned; }

 private:
  std::string mail_;
  std::string failure_ = "as the test wished";
  std::string none_;
  bool begun_ = false;
  bool open_ = false;
  bool quitting_ = false;
};

inline smtp_options sample_options() {
  return detail::checked_options({.host = "127.0.0.1",
                                  .sender = "shop@example.org",
                                  .recipients = {"ops@example.org"},
                                  .digest = std::chrono::seconds(0),
                                  .mails_per_hour = 0,
                                  .finish_limit = std::chrono::milliseconds(20)});
}

inline std::shared_ptr<detail::mailer> make_mailer(const smtp_options& options) {
  auto made = std::make_shared<detail::mailer>(
      options, [] { return std::make_unique<fake_transport>(); }, fake_post::clock());
  made->set_formatter(make_text_formatter("{message}", {.envelope = false}));
  return made;
}

/// Flushes until nothing changes; the number of errors that were thrown.
inline std::size_t settle(detail::mailer& m) {
  std::size_t errors = 0;
  for (int i = 0; i < 50; ++i) {
    try {
      m.flush();
    } catch (const std::runtime_error& e) {
      CHECK_THAT(e.what(), contains("mail to 127.0.0.1:587: "));
      ++errors;
    }
  }
  return errors;
}

inline std::string body_of(const std::string& mail) { return mail.substr(mail.find("\r\n\r\n") + 4); }

inline std::string field_of(const std::string& mail, const std::string& name) {
  const std::size_t at = mail.find("\r\n" + name + ": ") + name.size() + 4;
  return mail.substr(at, mail.find("\r\n", at) - at);
}

/// The text of records `first` to `last`, as a mail's body has it.
inline std::string text_of(std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i)
    text += "record " + std::to_string(i) + std::string(i % 7, '.') + "\r\n";
  return text;
}

/// Lines that do not continue the one before.
inline std::size_t fields_of(const std::string& header) {
  std::size_t fields = 0;
  for (std::size_t at = 0; at < header.size(); at = header.find('\n', at) + 1) fields += header[at] != ' ';
  return fields;
}

inline bool closes(const smtp_counts& c, std::uint64_t waiting = 0) {
  return c.taken == c.sent + c.held_back + c.spool_full + c.refused + c.given_up + c.unfinished + waiting;
}

} // namespace faultline::test
