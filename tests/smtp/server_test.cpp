// The mail handler in a real runtime, against a real server.
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <faultline/faultline.hpp>
#include <faultline/smtp.hpp>

#include "mail_server.hpp"
#include "scripted_server.hpp"
#include "smtp/options.hpp"
#include "smtp/session.hpp"
#include "support/catch.hpp"
#include "support/foreign_descriptor.hpp"
#include "support/thread_sanitizer.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::child_process;
using test::contains;
using test::contents;
using test::mailbox;
using clock_type = std::chrono::steady_clock;

namespace {

smtp_options to_server(std::uint16_t port) {
  return {.host = "127.0.0.1",
          .port = port,
          .ca_file = test::our_certificate().file(),
          .user = "shop",
          .password = "right password",
          .sender = "shop@example.org",
          .recipients = {"ops@example.org", "dev@example.org"},
          .records_per_mail = 10,
          .mails_per_hour = 0,
          .connect_limit = 20s,
          .mail_limit = 20s,
          .retry_first = 20ms,
          .retry_longest = 200ms,
          .finish_limit = 30s};
}

/// A runtime with a mail handler at its root, and what it reports.
class mailing {
 public:
  explicit mailing(const smtp_options& options)
      : mail(make_smtp_handler(options)), runtime_(runtime_options{.default_target = make_null_handler(),
                                                                   .on_error = [this](const error_report& e) {
                                                                     const std::lock_guard lock(mutex_);
                                                                     errors_ += std::string(e.detail) + "\n";
                                                                   }}) {
    mail->set_formatter(make_text_formatter("{message}", {.envelope = false}));
    runtime_.get_logger().add_handler(mail);
  }

  [[nodiscard]] logger get_logger() { return runtime_.get_logger("shop"); }
  [[nodiscard]] runtime& get_runtime() { return runtime_; }
  /// With pauses, as the outbox holds some hundred records and drops what comes beyond.
  void log(int from, int to) {
    for (int i = from; i < to; ++i) {
      FAULTLINE_INFO(get_logger(), "record {}", i);
      if (i % 50 == 49) std::this_thread::sleep_for(5ms);
    }
  }
  [[nodiscard]] std::string errors() {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

  const std::shared_ptr<smtp_handler> mail;

 private:
  std::mutex mutex_;
  std::string errors_;
  runtime runtime_;
};

bool wait_until(const std::function<bool()>& condition, std::chrono::seconds longest = 60s) {
  const auto end = clock_type::now() + longest;
  while (!condition()) {
    if (clock_type::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::vector<std::string> expected(int from, int to) {
  std::vector<std::string> lines;
  for (int i = from; i < to; ++i) lines.push_back("record " + std::to_string(i));
  return lines;
}

void check_closed(const smtp_counts& c) {
  CHECK(c.taken == c.sent + c.held_back + c.spool_full + c.refused + c.given_up + c.unfinished);
}

} // namespace

TEST_CASE("102 records at ten a mail arrive as 11 mails, in order, each once") {
  const bool tls = GENERATE(false, true);
  CAPTURE(tls);
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(test::server_words(
      port, box,
      test::with_tls_and_login(tls ? std::vector<std::string>{"--tls"} : std::vector<std::string>{})));
  smtp_options options = to_server(port);
  options.security = tls ? smtp_security::tls : smtp_security::starttls;
  mailing m(options);
  m.log(0, 102);
  CHECK(m.get_runtime().flush(60s));
  const auto bodies = box.bodies();
  REQUIRE(bodies.size() == 11);
  for (std::size_t i = 0; i < bodies.size(); ++i)
    CHECK(bodies[i] == expected(static_cast<int>(10 * i), std::min(static_cast<int>(10 * i + 10), 102)));
  CHECK_THAT(box.mails()[0], contains("To: ops@example.org, dev@example.org\r\n"));
  CHECK_THAT(box.mails()[0], contains("Subject: INFO shop: record 0\r\n"));
  CHECK(m.get_runtime().stop());
  CHECK(m.errors().empty());
  CHECK(m.mail->counts().sent == 102);
  CHECK(m.mail->lost() == 0);
}

TEST_CASE("stop sends the rest, with the server's answers a while in coming") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(test::server_words(port, box, test::with_tls_and_login({"--delay", "0.5"})));
  mailing m(to_server(port));
  m.log(0, 13);
  CHECK(m.get_runtime().stop(60s));
  CHECK(box.lines() == expected(0, 13));
  CHECK(box.mails().size() == 2);
  CHECK(m.mail->lost() == 0);
}

TEST_CASE("a wrong password is refused, counted, and told without the password") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(test::server_words(port, box, test::with_tls_and_login()));
  smtp_options options = to_server(port);
  options.password = "wrong password";
  mailing m(options);
  m.log(0, 25);
  REQUIRE(wait_until([&] { return m.mail->counts().failures > 1; }));
  CHECK_FALSE(m.get_runtime().flush(10ms));
  CHECK_FALSE(m.get_runtime().stop(60s)); // nothing is left, for it is counted as lost
  CHECK(m.mail->counts().unfinished == 25);
  CHECK(m.mail->lost() == 25);
  CHECK_THAT(m.errors(), contains("the login was refused (535)") && !contains("wrong password"));
  CHECK(box.mails().empty());
}

TEST_CASE("a connection that is refused is counted") {
  const std::uint16_t port = test::unused_port();
  mailing m(to_server(port));
  m.log(0, 25);
  REQUIRE(wait_until([&] { return m.mail->counts().failures > 2; }));
  const auto before = clock_type::now();
  CHECK_FALSE(m.get_runtime().stop(60s));
  CHECK(clock_type::now() - before < 10s);
  CHECK(m.mail->counts().unfinished == 25);
  CHECK_THAT(m.errors(), contains(":" + std::to_string(port) + ": "));
}

TEST_CASE("a certificate that is not trusted, or is another host's, is refused") {
  const bool other_host = GENERATE(false, true);
  CAPTURE(other_host);
  const test::certificate other(other_host ? "mail.example.org" : "localhost");
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(
      test::server_words(port, box, {"--certificate", other.file(), "--key", other.key()}));
  smtp_options options = to_server(port);
  if (other_host) options.ca_file = other.file();
  {
    mailing m(options);
    m.log(0, 25);
    REQUIRE(wait_until([&] { return m.mail->counts().failures > 0; }));
    CHECK_FALSE(m.get_runtime().stop(60s));
    CHECK(m.mail->counts().unfinished == 25);
    CHECK_THAT(m.errors(), contains("SSL"));
    CHECK(box.mails().empty());
  }
  options.verify = false; // the control: all else is right
  options.user = options.password = "";
  mailing m(options);
  m.log(0, 25);
  CHECK(m.get_runtime().stop(60s));
  CHECK(box.lines() == expected(0, 25));
}

TEST_CASE("a server that dies and comes back costs a file beside it nothing") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const test::temporary_directory folder;
  const auto words = test::server_words(port, box, test::with_tls_and_login());
  mailing m(to_server(port));
  const auto file = make_file_handler(folder.file("log"));
  file->set_formatter(make_text_formatter("{message}"));
  m.get_runtime().get_logger().add_handler(file);
  std::string text;
  const auto log_and_expect_in_file = [&](int from, int to) {
    const auto before = clock_type::now();
    m.log(from, to);
    for (const std::string& line : expected(from, to)) text += line + "\n";
    CHECK(wait_until([&] { return contents(folder.file("log")) == text; }, 10s));
    CHECK(clock_type::now() - before < 5s);
  };
  {
    child_process first(words);
    log_and_expect_in_file(0, 100);
    REQUIRE(wait_until([&] { return m.mail->counts().mails >= 1; }));
    first.kill();
  }
  log_and_expect_in_file(100, 200);
  REQUIRE(wait_until([&] { return m.mail->counts().failures >= 1; }));
  const child_process second(words);
  log_and_expect_in_file(200, 300);
  CHECK(m.get_runtime().stop(60s));
  CHECK(m.mail->lost() == 0);
  CHECK(m.mail->counts().sent == 300);
  CHECK(contents(folder.file("log")) == text);
  // A mail whose acceptance was cut off is there twice, with one id; the others are there once and in order.
  auto lines = box.lines();
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  auto all = expected(0, 300);
  std::sort(all.begin(), all.end());
  CHECK(lines == all);
  CHECK(box.mails().size() <= 31);
}

TEST_CASE("a server that accepts and never answers costs a file beside it nothing, and stop its limit") {
  const test::silent_server server;
  const test::temporary_directory folder;
  smtp_options options = to_server(server.port());
  options.finish_limit = 500ms;
  options.spool_mails = 5;
  mailing m(options);
  const auto file = make_file_handler(folder.file("log"));
  file->set_formatter(make_text_formatter("{message}"));
  m.get_runtime().get_logger().add_handler(file);
  const auto before = clock_type::now();
  m.log(0, 500);
  std::string text;
  for (const std::string& line : expected(0, 500)) text += line + "\n";
  CHECK(wait_until([&] { return contents(folder.file("log")) == text; }, 10s));
  CHECK(clock_type::now() - before < 5s);
  const auto stopping = clock_type::now();
  CHECK_FALSE(m.get_runtime().stop(30s));
  CHECK(clock_type::now() - stopping < 10s); // the time limits of the connection are longer
  CHECK(m.mail->counts().taken == 500);
  CHECK(m.mail->counts().spool_full == 450);
  CHECK(m.mail->counts().unfinished == 50);
  check_closed(m.mail->counts());
}

TEST_CASE("what is logged cannot add a header, a recipient or a mail") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(test::server_words(port, box, test::with_tls_and_login()));
  smtp_options options = to_server(port);
  options.records_per_mail = 1;
  mailing m(options);
  for (const char* evil : {"a\r\nBcc: victim@example.org\r\n\r\nbody", "b\n.\nMAIL FROM:<x@y>", ".", "..",
                           "c\r\n.\r\nQUIT", "=?UTF-8?Q?d=0D=0ABcc:_victim@example.org?="})
    FAULTLINE_INFO(m.get_logger(), "{}", evil);
  CHECK(m.get_runtime().stop(60s));
  CHECK(m.mail->counts().sent == 6);
  CHECK(box.lines() == std::vector<std::string>{R"(a\r\nBcc: victim@example.org\r\n\r\nbody)",
                                                R"(b\n.\nMAIL FROM:<x@y>)", ".", "..", R"(c\r\n.\r\nQUIT)",
                                                "=?UTF-8?Q?d=0D=0ABcc:_victim@example.org?="});
  for (const std::string& mail : box.mails()) CHECK(mail.find("\nBcc") == std::string::npos);
}

TEST_CASE("a TLS connection says no goodbye on a number that other code uses") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(test::server_words(port, box, test::with_tls_and_login()));
  detail::smtp_session session(detail::checked_options(to_server(port)));
  const auto send = [&] {
    session.begin("Subject: x\r\n\r\nhello\r\n");
    detail::attempt result = detail::attempt::busy;
    REQUIRE(wait_until([&] {
      result = session.drive(clock_type::now() + 2ms);
      return result != detail::attempt::busy;
    }));
    return result;
  };
  REQUIRE(send() == detail::attempt::sent);
  const test::foreign_descriptor other(test::socket_towards(port), test::foreign::socket);
  SECTION("when it is closed") { session.close(); }
  SECTION("when it is to send another mail") { CHECK(send() == detail::attempt::delayed); }
  CHECK(other.is_untouched());
  CHECK(send() == detail::attempt::sent);
  CHECK(other.is_untouched());
}

#ifndef FAULTLINE_TEST_TSAN // the child needs a flusher
TEST_CASE("a forked child sends what it logs and nothing of its parent's, whose connection it leaves alone") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const child_process server(test::server_words(port, box, test::with_tls_and_login({"--delay", "0.3"})));
  mailing m(to_server(port));
  m.log(0, 25);
  REQUIRE(wait_until([&] { return m.mail->counts().mails >= 1; })); // the second one is on its way
  const ::pid_t child = ::fork();
  if (child == 0) {
    FAULTLINE_INFO(m.get_logger(), "the child's");
    const bool good = m.get_runtime().stop(15s);
    ::_exit(good && m.mail->lost() == 0 ? 0 : 1);
  }
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(m.get_runtime().stop(60s));
  CHECK(m.mail->counts().sent == 25);
  auto lines = box.lines();
  CHECK(std::count(lines.begin(), lines.end(), "the child's") == 1);
  std::erase(lines, "the child's");
  CHECK(lines == expected(0, 25));
}
#endif

#ifdef TEST_EXAMPLE
TEST_CASE("the example buffered_mail sends its 102 records as 11 mails, and tells its arguments") {
  const std::uint16_t port = test::unused_port();
  const mailbox box;
  const test::temporary_directory folder;
  const child_process server(test::server_words(port, box, test::with_tls_and_login()));
  const auto run = [&folder](const std::string& before, const std::string& words) {
    const std::string command =
        before + " " + TEST_EXAMPLE + " " + words + " >" + folder.file("out") + " 2>&1";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const std::string to_us = "127.0.0.1 --port " + std::to_string(port) + " --ca-file " +
                            test::our_certificate().file() + " --user shop";
  CHECK(run("FAULTLINE_SMTP_PASSWORD='right password'", to_us) == 0);
  CHECK(contents(folder.file("out")) == "102 records in 11 mails, 0 records lost\n");
  REQUIRE(box.mails().size() == 11);
  const auto lines = box.lines();
  REQUIRE(lines.size() == 102);
  for (std::size_t i = 0; i < lines.size(); ++i)
    CHECK(lines[i].substr(lines[i].find("Info index")) == "Info index = " + std::to_string(i));

  CHECK(run("FAULTLINE_SMTP_PASSWORD='wrong password'", to_us + " --records 3") == 1);
  CHECK_THAT(contents(folder.file("out")), contains("0 records in 0 mails, 3 records lost"));
  CHECK(run("", "127.0.0.1 --sender nobody") == 2);
  CHECK_THAT(contents(folder.file("out")), contains("sender: 'nobody'"));
  CHECK(run("", "-h") == 0);
  for (const char* word : {"--port", "--user", "--password", "--sender", "--to", "--subject", "--capacity",
                           "FAULTLINE_SMTP_PASSWORD"})
    CHECK_THAT(contents(folder.file("out")), contains(word));
}
#endif
