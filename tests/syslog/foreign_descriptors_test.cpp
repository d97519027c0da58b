// What other code closed and opened anew under the link's number is not the link's.
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "support/foreign_descriptor.hpp"
#include "support/in_time.hpp"
#include "support/sample_records.hpp"
#include "syslog/servers.hpp"
#include "syslog/syslog_handler.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using detail::syslog_handler;
using test::always_ours;
using test::contains;
using test::flush_quietly;
using test::foreign;
using test::foreign_descriptor;
using test::local_server;
using test::numbered_records;
using test::tcp_server;
using test::temporary_directory;
using test::within;

namespace {

constexpr syslog_transport transports[] = {syslog_transport::unix_datagram, syslog_transport::udp,
                                           syslog_transport::tcp};

/// A server for each transport, and a handler that has sent it its first record.
struct conversation {
  explicit conversation(syslog_transport t) : transport(t) {
    syslog_options options;
    options.transport = transport;
    options.hostname = "web3";
    options.app_name = "shop";
    options.path = dir.file("log");
    options.port = transport == syslog_transport::tcp ? over_tcp.port() : over_udp.port();
    h = std::make_unique<syslog_handler>(options);
    h->write(records.one(0));
    REQUIRE(settle());
    REQUIRE(h->link().descriptor() >= 0);
    CHECK(within(5s, [&] { return server_has("record 0"); }));
  }

  /// Flushes until nothing is pending. In the control, where that may never be, once.
  [[nodiscard]] bool settle() {
    if (always_ours && reports_begin) return (flush_quietly(*h), true);
    return within(10s, [&] {
      try {
        h->flush();
      } catch (const std::system_error& e) {
        reports.emplace_back(e.what());
      }
      return !h->pending();
    });
  }
  /// Whether the text has come, over the newest connection.
  [[nodiscard]] bool server_has(const std::string& text) {
    if (transport == syslog_transport::unix_datagram) got += over_path.read();
    if (transport == syslog_transport::udp) {
      char bytes[4096];
      const ::ssize_t count = ::recv(over_udp.descriptor(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (count > 0) got.append(bytes, static_cast<std::size_t>(count));
    }
    if (transport == syslog_transport::tcp) {
      if (!accepted) over_tcp.accept(*h);
      accepted = true;
      got = over_tcp.read();
    }
    return got.find(text) != std::string::npos;
  }
  /// Other code has the number from now on.
  void lose_socket(foreign kind) {
    number = h->link().descriptor();
    other.emplace(number, kind);
    accepted = false;
    reports_begin = true;
  }

  const syslog_transport transport;
  temporary_directory dir;
  local_server over_path{dir.file("log")};
  test::bound_socket over_udp{SOCK_DGRAM};
  tcp_server over_tcp;
  const numbered_records records{3};
  std::unique_ptr<syslog_handler> h;
  std::optional<foreign_descriptor> other;
  std::vector<std::string> reports;
  std::string got;
  int number = -1;
  bool accepted = false;
  bool reports_begin = false;
};

} // namespace

TEST_CASE(
    "a socket's number that other code uses is neither written to nor closed, and a new socket goes on") {
  const auto transport = GENERATE(from_range(std::begin(transports), std::end(transports)));
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  CAPTURE(transport, kind);
  conversation c(transport);
  c.lose_socket(kind);
  c.h->write(c.records.one(1));
  REQUIRE(c.settle());
  CHECK(c.other->is_untouched() != always_ours);
  if (always_ours) return;
  CHECK(within(5s, [&] { return c.server_has("record 1"); }));
  REQUIRE(c.reports.size() == 1);
  CHECK_THAT(c.reports[0], contains("other code has closed its socket"));
  c.h->write(c.records.one(2));
  REQUIRE(c.settle());
  CHECK(within(5s, [&] { return c.server_has("record 2"); }));
  CHECK(c.reports.size() == 1);
  CHECK(c.h->lost() == 0);
  CHECK(c.other->is_untouched());
}

TEST_CASE("a socket that other code closed, and closes again, is replaced and reported each time") {
  conversation c(syslog_transport::unix_datagram);
  for (const std::size_t i : {1U, 2U}) {
    ::close(c.h->link().descriptor());
    c.h->write(c.records.one(i));
    REQUIRE(c.settle());
    c.h->flush(); // finds it good
    CHECK(within(5s, [&] { return c.server_has("record " + std::to_string(i)); }));
    REQUIRE(c.reports.size() == i);
    CHECK((c.reports.back().find("other code has closed its socket") != std::string::npos) != always_ours);
  }
}

TEST_CASE("the number of other code is not closed by reopening, by the end, or by the last flush before it") {
  const auto transport = GENERATE(from_range(std::begin(transports), std::end(transports)));
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  const std::string end =
      GENERATE("reopen", "destructor", "last flush with a record", "destructor with a record");
  CAPTURE(transport, kind, end);
  conversation c(transport);
  c.lose_socket(kind);
  if (end.ends_with("record")) c.h->write(c.records.one(1));
  if (end == "reopen") c.h->reopen();
  if (end.starts_with("last flush")) {
    const auto last_flush = [&] { c.h->last_flush(std::chrono::steady_clock::now() + 1s); };
    if (kind == foreign::socket && always_ours)
      CHECK_NOTHROW(last_flush()); // it got an answer, of a kind
    else
      CHECK_THROWS_WITH(last_flush(), contains(always_ours ? "cannot send" : "other code has closed"));
  }
  c.h.reset();
  CHECK(c.other->is_untouched() != always_ours);
}

TEST_CASE("a forked child that has closed all descriptors leaves alone what it opened since") {
  const auto transport = GENERATE(from_range(std::begin(transports), std::end(transports)));
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  const bool logs = GENERATE(true, false); // or only destroys its copy
  CAPTURE(transport, kind, logs);
  conversation c(transport);
  CHECK(test::in_child([&] {
    c.lose_socket(kind);
    if (logs) {
      c.h->after_fork();
      c.h->write(c.records.one(1));
      if (!c.settle() || !c.reports.empty()) return false;
    }
    c.h.reset();
    return c.other->is_untouched() != always_ours;
  }));
  if (logs && transport != syslog_transport::tcp) CHECK(within(5s, [&] { return c.server_has("record 1"); }));
  c.h->write(c.records.one(2)); // the parent's socket is as before
  REQUIRE(c.settle());
  CHECK(within(5s, [&] { return c.server_has("record 2"); }));
  CHECK(c.reports.empty());
}

TEST_CASE("the socket has no number of a standard stream, though these are closed") {
  const auto transport = GENERATE(from_range(std::begin(transports), std::end(transports)));
  conversation c(transport);
  CHECK(test::in_child([&] {
    for (const int stream : {0, 1, 2}) ::close(stream);
    c.h->after_fork();
    c.h->write(c.records.one(1));
    if (!c.settle()) return false;
    int open = 0;
    for (const int stream : {0, 1, 2}) open += ::fcntl(stream, F_GETFD) >= 0 ? 1 : 0;
    return always_ours ? open == 1 : open == 0 && c.h->link().descriptor() > 2;
  }));
}

TEST_CASE("a relative path is that of the working directory when the handler is made") {
  const temporary_directory dir;
  const temporary_directory elsewhere;
  local_server server(dir.file("log"));
  CHECK(test::in_child([&] {
    if (::chdir(dir.file("").c_str()) != 0) return false;
    syslog_options options;
    options.path = "log";
    syslog_handler h(options);
    if (::chdir(elsewhere.file("").c_str()) != 0) return false;
    h.write(numbered_records(1).all());
    return within(10s, [&] { return (h.flush(), !h.pending()); }) && h.link().name() == dir.file("log");
  }));
  CHECK_THAT(server.read(), contains("record 0"));
}
