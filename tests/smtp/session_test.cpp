#include "smtp/session.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <faultline/faultline.hpp>
#include <faultline/smtp.hpp>

#include "scripted_server.hpp"
#include "smtp/options.hpp"
#include "support/catch.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace faultline::detail;
using namespace std::chrono_literals;
using test::contains;
using test::scripted_server;
using test::silent_server;
using clock_type = std::chrono::steady_clock;

namespace {

smtp_options to_port(std::uint16_t port) {
  return checked_options({.host = "127.0.0.1",
                          .port = port,
                          .security = smtp_security::none,
                          .sender = "shop@example.org",
                          .recipients = {"ops@example.org"},
                          .connect_limit = 5s,
                          .mail_limit = 5s});
}

/// Drives until there is a result, and notes the longest that one call took.
struct driver {
  attempt send(smtp_session& session, std::string_view mail = "Subject: x\r\n\r\nhello\r\n") {
    session.begin(mail);
    return go_on(session);
  }
  attempt go_on(smtp_session& session) {
    while (true) {
      const auto before = clock_type::now();
      const attempt result = session.drive(before + 2ms);
      longest = std::max(longest, clock_type::now() - before);
      if (result != attempt::busy) return result;
      std::this_thread::sleep_for(100us); // as the flusher rests
    }
  }
  clock_type::duration longest{};
};

/// A call that waited for the server would take as long as a time limit. Sanitizers and a busy machine are
/// slow, though not so slow.
constexpr auto much_too_long = 1s;

void say_goodbye(smtp_session& session) {
  session.quit();
  while (session.open()) {
    (void)session.drive(clock_type::now());
    std::this_thread::sleep_for(100us);
  }
}

} // namespace

TEST_CASE("a mail is spoken as RFC 5321 says, with its dots stuffed") {
  scripted_server server;
  smtp_session session(to_port(server.port()));
  CHECK(driver().send(session, "Subject: x\r\n\r\n.\r\n..\r\n") == attempt::sent);
  say_goodbye(session);
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0] == "Subject: x\r\n\r\n..\r\n...\r\n");
  const auto commands = server.commands();
  REQUIRE(commands.size() == 5);
  CHECK(commands[0].substr(0, 5) == "EHLO ");
  CHECK(commands[1] == "MAIL FROM:<shop@example.org>");
  CHECK(commands[2] == "RCPT TO:<ops@example.org>");
  CHECK(commands[3] == "DATA");
  CHECK(commands[4] == "QUIT");
}

TEST_CASE("mails that follow at once share a connection") {
  scripted_server server;
  smtp_session session(to_port(server.port()));
  driver d;
  for (int i = 0; i < 3; ++i) CHECK(d.send(session) == attempt::sent);
  say_goodbye(session);
  CHECK(server.mails().size() == 3);
  CHECK(server.connections() == 1);
}

TEST_CASE("a mail of a megabyte arrives whole") {
  scripted_server server;
  smtp_session session(to_port(server.port()));
  std::string mail = "Subject: x\r\n\r\n";
  while (mail.size() < 1'000'000) mail += "a line of text that is here many times\r\n";
  CHECK(driver().send(session, mail) == attempt::sent);
  say_goodbye(session);
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0] == mail);
}

TEST_CASE("each answer has its consequence") {
  struct expectation {
    std::string command;
    std::string reply;
    attempt result;
  };
  const expectation all[] = {
      {"greeting", "554 no service\r\n", attempt::delayed},
      {"greeting", "nonsense\r\n", attempt::delayed},
      {"greeting", "close", attempt::delayed},
      {"MAIL", "451 later\r\n", attempt::delayed},
      {"MAIL", "550 not you\r\n", attempt::refused},
      {"MAIL", "530 login first\r\n", attempt::barred},
      {"RCPT", "450 later\r\n", attempt::delayed},
      {"RCPT", "550-two\r\n550 lines\r\n", attempt::refused},
      {"DATA", "452 no space\r\n", attempt::delayed},
      {"DATA", "554 no\r\n", attempt::refused},
      {".", "451 later\r\n", attempt::delayed},
      {".", "552 too large\r\n", attempt::refused},
      {".", "421 going down\r\n", attempt::delayed},
      {".", "close", attempt::delayed},
      {".", "2\r\n", attempt::delayed},
      {".", "100 what\r\n", attempt::delayed},
  };
  for (const auto& [command, reply, result] : all) {
    CAPTURE(command, reply);
    scripted_server server([&command = command, &reply = reply](const std::string& line) {
      return line.substr(0, command.size()) == command && (command != "." || line == ".")
                 ? reply
                 : scripted_server::usual(line);
    });
    smtp_session session(to_port(server.port()));
    driver d;
    CHECK(d.send(session) == result);
    CHECK_FALSE(session.failure().empty());
    CHECK(d.longest < much_too_long);
    CHECK(server.mails().empty());
  }
}

TEST_CASE("after a mail that was refused the connection serves the next") {
  std::atomic<int> mails{0};
  scripted_server server([&](const std::string& line) -> std::string {
    if (line == "." && ++mails == 1) return "554 not this one\r\n";
    return scripted_server::usual(line);
  });
  smtp_session session(to_port(server.port()));
  driver d;
  CHECK(d.send(session) == attempt::refused);
  CHECK_THAT(session.failure(), contains("554 not this one"));
  CHECK(d.send(session) == attempt::sent);
  CHECK(session.failure().empty());
  CHECK(server.connections() == 1);
}

TEST_CASE("one recipient that is refused does not keep the mail from the others") {
  scripted_server server([](const std::string& line) -> std::string {
    return line == "RCPT TO:<gone@example.org>" ? "550 no such user\r\n" : scripted_server::usual(line);
  });
  smtp_options options = to_port(server.port());
  options.recipients.insert(options.recipients.begin(), "gone@example.org");
  smtp_session session(options);
  CHECK(driver().send(session) == attempt::sent);
  CHECK(session.complaint() == "gone@example.org was refused: 550 no such user");
  CHECK(server.mails().size() == 1);
}

TEST_CASE("a refused connection is a delay") {
  smtp_session session(to_port(test::unused_port()));
  CHECK(driver().send(session) == attempt::delayed);
  CHECK_FALSE(session.open());
}

TEST_CASE("an option that libcurl refuses is no delay: no mail will go before somebody changes something") {
  smtp_options options = to_port(test::unused_port());
  options.user = "shop";
  options.password.assign(9'000'000, 'x'); // libcurl takes up to eight million
  smtp_session session(options);
  CHECK(driver().send(session) == attempt::barred);
  CHECK_THAT(session.failure(), contains("libcurl refuses option"));
  CHECK_FALSE(session.open());
}

TEST_CASE("a server that never greets costs the time limit and no waiting") {
  const silent_server server;
  smtp_options options = to_port(server.port());
  options.connect_limit = 2s;
  smtp_session session(options);
  driver d;
  const auto before = clock_type::now();
  CHECK(d.send(session) == attempt::delayed);
  CHECK(clock_type::now() - before < 10s);
  CHECK(d.longest < much_too_long);
}

TEST_CASE("a server that falls silent at any command is left within the time limit, without waiting") {
  for (const std::string command : {"greeting", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"}) {
    CAPTURE(command);
    scripted_server server([&command](const std::string& line) {
      const bool here = command == "." ? line == "." : line.substr(0, command.size()) == command;
      return here ? std::string() : scripted_server::usual(line);
    });
    smtp_options options = to_port(server.port());
    options.connect_limit = options.mail_limit = 2s;
    smtp_session session(options);
    driver d;
    CHECK(d.send(session) == (command == "QUIT" ? attempt::sent : attempt::delayed));
    if (command == "QUIT") {
      session.quit();
      CHECK(d.go_on(session) == attempt::none);
      while (session.open()) (void)d.go_on(session);
    }
    CHECK(d.longest < much_too_long);
    CHECK_FALSE(session.open());
  }
}

TEST_CASE("what a server says is one short line of printable characters, without the password") {
  const std::string bad = "554 \x1B[2J secret " + std::string(5000, 'x') + "\r\n";
  scripted_server server(
      [&bad](const std::string& line) { return line == "." ? bad : scripted_server::usual(line); });
  smtp_options options = to_port(server.port());
  smtp_session plain(options);
  CHECK(driver().send(plain) == attempt::refused);
  CHECK(plain.failure().size() < 300);
  CHECK(plain.failure().find('\x1B') == std::string::npos);
  CHECK_THAT(plain.failure(), contains("secret"));
  plain.close();
  options.user = "shop";
  options.password = "secret";
  smtp_session knowing(options);
  CHECK(driver().send(knowing) == attempt::refused);
  CHECK_THAT(knowing.failure(), contains("554") && !contains("secret"));
}

TEST_CASE("an answer without an end is cut off") {
  scripted_server server([](const std::string& line) {
    return line == "." ? std::string(100'000, '2') : scripted_server::usual(line);
  });
  smtp_session session(to_port(server.port()));
  CHECK(driver().send(session) == attempt::delayed);
  CHECK_THAT(session.failure(), contains("without an end"));
}

TEST_CASE("without STARTTLS nothing is sent where it is required") {
  scripted_server server;
  smtp_options options = to_port(server.port());
  options.security = smtp_security::starttls;
  options.user = "shop";
  options.password = "secret";
  smtp_session session(options);
  CHECK(driver().send(session) == attempt::barred);
  for (const std::string& command : server.commands()) CHECK(command.substr(0, 4) != "AUTH");
}
