// What other code closed and opened anew under a number that libcurl has is not libcurl's.
#include "support/foreign_descriptor.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "scripted_server.hpp"
#include "smtp/curl_descriptors.hpp"
#include "smtp/options.hpp"
#include "smtp/session.hpp"
#include "support/in_time.hpp"

using namespace faultline;
using namespace faultline::detail;
using namespace std::chrono_literals;
using test::always_ours;
using test::contains;
using test::foreign;
using test::foreign_descriptor;
using test::open_descriptors;
using test::scripted_server;
using test::within;
using clock_type = std::chrono::steady_clock;

namespace {

smtp_options to_port(std::uint16_t port) {
  return checked_options({.host = "127.0.0.1",
                          .port = port,
                          .security = smtp_security::none,
                          .sender = "shop@example.org",
                          .recipients = {"ops@example.org"},
                          .connect_limit = 10s,
                          .mail_limit = 10s});
}

/// Says nothing on the first connection from a command on, and whatever is usual on the others.
class falling_silent {
 public:
  explicit falling_silent(std::string command) : command_(std::move(command)) {}
  std::string operator()(const std::string& line) {
    if (line == "greeting") ++connections_;
    if (connections_ > 1 || line.substr(0, command_.size()) != command_) return scripted_server::usual(line);
    silent_ = true;
    return "";
  }
  [[nodiscard]] bool is_silent() const { return silent_; }

 private:
  const std::string command_;
  std::atomic<int> connections_{0}; // a counter of the server's thread
  std::atomic<bool> silent_{false}; // a flag; nothing depends on it
};

attempt go_on(smtp_session& session) {
  attempt result = attempt::busy;
  // The control need not come to an end: what it harms it harms at once.
  for (int i = 0; result == attempt::busy && !(always_ours && i == 10); ++i) {
    result = session.drive(clock_type::now() + 2ms);
    std::this_thread::sleep_for(100us); // as the flusher rests
  }
  return result;
}

attempt send(smtp_session& session) {
  session.begin("Subject: x\r\n\r\nhello\r\n");
  return go_on(session);
}

/// Sends its one mail, and leaves the connection ready for another.
void open_connection(smtp_session& session) {
  session.begin("Subject: x\r\n\r\nhello\r\n");
  attempt result = attempt::busy;
  REQUIRE(within(10s, [&] { return (result = session.drive(clock_type::now() + 2ms)) != attempt::busy; }));
  REQUIRE(result == attempt::sent);
}

/// All idle lines are out of the way for a while: the next is made anew, as the last of these was.
class no_idle_lines {
 public:
  no_idle_lines() {
    std::size_t before = 0;
    do {
      before = open_descriptors().size();
      taken_.push_back(&take_line());
    } while (open_descriptors().size() == before);
  }
  ~no_idle_lines() {
    for (curl_line* const line : taken_) give_back(*line);
  }

 private:
  std::vector<curl_line*> taken_;
};

/// The numbers of what was opened since, but for the server's.
std::vector<int> opened_since(const std::set<int>& before, const scripted_server* server = nullptr) {
  std::vector<int> result;
  for (const int number : open_descriptors()) {
    ::sockaddr_in name{};
    ::socklen_t size = sizeof name;
    const bool is_servers = server != nullptr &&
                            ::getsockname(number, reinterpret_cast<::sockaddr*>(&name), &size) == 0 &&
                            name.sin_family == AF_INET && ntohs(name.sin_port) == server->port();
    if (before.count(number) == 0 && !is_servers) result.push_back(number);
  }
  return result;
}

int open_standard_streams() {
  int count = 0;
  for (const int stream : {0, 1, 2}) count += ::fcntl(stream, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

} // namespace

TEST_CASE("a connection whose number other code uses while an answer is awaited is given up without a word") {
  const std::string command = GENERATE("greeting", "EHLO", "MAIL", "RCPT", "DATA", ".");
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  CAPTURE(command, kind);
  falling_silent script(command);
  scripted_server server(std::ref(script));
  smtp_session session(to_port(server.port()));
  session.begin("Subject: x\r\n\r\nhello\r\n");
  REQUIRE(within(10s, [&] {
    CHECK(session.drive(clock_type::now()) == attempt::busy);
    return script.is_silent();
  }));
  const foreign_descriptor other(test::socket_towards(server.port()), kind);
  const attempt result = go_on(session);
  CHECK(other.is_untouched() != always_ours);
  if (always_ours) return;
  CHECK(result == attempt::delayed); // though it may have been accepted, where the text had gone
  CHECK_THAT(session.failure(), contains("other code has closed the connection's descriptor"));
  CHECK(send(session) == attempt::sent);
  CHECK(server.connections() == 2);
  CHECK(server.mails().size() == 1);
  session.close();
  CHECK(other.is_untouched());
}

TEST_CASE("an open connection whose number other code uses is left alone, however it ends") {
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  const std::string end = GENERATE("next mail", "quit", "close", "destructor", "forked child");
  CAPTURE(kind, end);
  scripted_server server;
  auto session = std::make_unique<smtp_session>(to_port(server.port()));
  open_connection(*session);
  const int number = test::socket_towards(server.port());
  if (end == "forked child") {
    CHECK(test::in_child([&] {
      const foreign_descriptor other(number, kind);
      session->abandon();
      return other.is_untouched() != always_ours;
    }));
    open_connection(*session); // the parent's is as before
    CHECK(server.connections() == 1);
    return;
  }
  const foreign_descriptor other(number, kind);
  if (end == "next mail") {
    const attempt result = send(*session);
    CHECK((result == attempt::delayed) != (always_ours && kind == foreign::socket));
  }
  if (end == "quit") {
    session->quit();
    (void)go_on(*session);
    CHECK(session->open() == (always_ours && kind == foreign::socket));
  }
  if (end == "close") session->close();
  if (end == "destructor") session.reset();
  CHECK(other.is_untouched() != always_ours);
  if (always_ours || session == nullptr) return;
  CHECK(send(*session) == attempt::sent);
  CHECK(server.connections() == 2);
  CHECK(other.is_untouched());
}

TEST_CASE("a socket that other code has closed is not written to, and the next mail goes") {
  scripted_server server;
  smtp_session session(to_port(server.port()));
  open_connection(session);
  ::close(test::socket_towards(server.port()));
  CHECK(send(session) == attempt::delayed);
  open_connection(session);
}

TEST_CASE("nothing that libcurl has opened is read from, written to or closed once all are other code's") {
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  // What libcurl has beside its connection no identity protects, so that this holds in the control, too.
  const bool connection_too = always_ours ? false : GENERATE(true, false);
  CAPTURE(kind, connection_too);
  falling_silent script("MAIL");
  scripted_server server(std::ref(script));
  const no_idle_lines none;
  const std::set<int> before = open_descriptors();
  auto session = std::make_unique<smtp_session>(to_port(server.port()));
  session->begin("Subject: x\r\n\r\nhello\r\n");
  REQUIRE(within(10s, [&] {
    (void)session->drive(clock_type::now());
    return script.is_silent();
  }));
  const int connection = test::socket_towards(server.port());
  std::deque<foreign_descriptor> others;
  for (const int number : opened_since(before, &server))
    if (connection_too || number != connection) others.emplace_back(number, kind);
  REQUIRE(others.size() >= (connection_too ? 2 : 1));
  if (connection_too) CHECK(go_on(*session) == attempt::delayed);
  session.reset();
  for (int i = 0; i < 2; ++i) { // over a line that was used before, where it was not given up
    smtp_session next(to_port(server.port()));
    open_connection(next);
  }
  for (const foreign_descriptor& other : others) CHECK(other.is_untouched());
}

TEST_CASE("libcurl itself closes what is open under the numbers that it had") {
  const std::set<int> before = open_descriptors();
  CURLM* const multi = curl_multi_init();
  std::deque<foreign_descriptor> others;
  for (const int number : opened_since(before)) others.emplace_back(number, foreign::file);
  REQUIRE_FALSE(others.empty());
  curl_multi_cleanup(multi);
  for (const foreign_descriptor& other : others) CHECK_FALSE(other.is_untouched());
}

TEST_CASE("no descriptor of a mail connection has the number of a standard stream, though these are closed") {
  scripted_server server; // not in the child, where its connections would get such numbers
  CHECK(test::in_child([&] {
    for (const int stream : {0, 1, 2}) ::close(stream);
    CURLM* const careless = curl_multi_init();
    if (open_standard_streams() == 0) return false; // what it is about
    curl_multi_cleanup(careless);
    const no_idle_lines none;
    if (open_standard_streams() != 0) return false;
    smtp_session session(to_port(server.port()));
    session.begin("Subject: x\r\n\r\nhello\r\n");
    attempt result = attempt::busy;
    return within(10s, [&] { return (result = session.drive(clock_type::now() + 2ms)) != attempt::busy; }) &&
           result == attempt::sent && open_standard_streams() == 0;
  }));
}
