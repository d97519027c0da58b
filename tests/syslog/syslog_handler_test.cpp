#include "syslog/syslog_handler.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/in_time.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"
#include "syslog/servers.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using detail::syslog_handler;
using test::bound_socket;
using test::contains;
using test::flush_quietly;
using test::local_server;
using test::numbered_records;
using test::sample_record;
using test::tcp_server;
using test::temporary_directory;
using test::within;

namespace {

syslog_options quick(syslog_transport transport) {
  syslog_options options;
  options.transport = transport;
  options.hostname = "web3";
  options.app_name = "shop";
  options.max_retry_interval = 5ms;
  return options;
}

syslog_options over_tcp(std::uint16_t port) {
  syslog_options options = quick(syslog_transport::tcp);
  options.port = port;
  return options;
}

syslog_options over_udp(std::uint16_t port) {
  syslog_options options = quick(syslog_transport::udp);
  options.port = port;
  return options;
}

syslog_options over_path(const std::string& path) {
  syslog_options options = quick(syslog_transport::unix_datagram);
  options.path = path;
  return options;
}

/// Flushes until nothing is pending; what flush reports is counted.
bool settle(handler& h, int* reports = nullptr) {
  return within(10s, [&] {
    try {
      h.flush();
    } catch (const std::system_error&) {
      if (reports != nullptr) ++*reports;
    }
    return !h.pending();
  });
}

std::string body(const std::string& message) { return message.substr(message.find("] ") + 2); }

std::vector<std::string> bodies(const std::vector<std::string>& messages) {
  std::vector<std::string> result;
  for (const std::string& m : messages) result.push_back(body(m));
  return result;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

} // namespace

TEST_CASE("over TCP each message has its octet count before it") {
  tcp_server server;
  syslog_handler h(over_tcp(server.port()));
  const numbered_records records(3);
  h.write(records.all());
  server.accept(h);
  REQUIRE(settle(h));
  CHECK(within(5s, [&] { return (server.read(), server.messages().size() == 3); }));
  CHECK(bodies(server.messages()) == lines(records.text()));
  CHECK(h.lost() == 0);
}

TEST_CASE("a server that reads slowly gets every message once and whole") {
  tcp_server server;
  server.narrow();
  syslog_handler h(over_tcp(server.port()));
  const std::size_t count = 20000; // several megabytes: more than the kernel's buffers take
  const numbered_records records(count);
  h.write(batch(records.all()));
  server.accept(h);
  flush_quietly(h);
  CHECK(h.pending());
  CHECK(within(60s, [&] {
    server.read();
    h.flush();
    return !h.pending();
  }));
  server.read();
  CHECK(within(5s, [&] { return (server.read(), server.messages().size() >= count); }));
  CHECK(bodies(server.messages()) == lines(records.text()));
}

TEST_CASE("a connection that the server closed while idle is noticed before the next message") {
  tcp_server server;
  syslog_handler h(over_tcp(server.port()));
  const numbered_records records(2);
  h.write(records.one(0));
  server.accept(h);
  REQUIRE(settle(h));
  REQUIRE(within(5s, [&] { return (server.read(), server.messages().size() == 1); }));
  server.hang_up();
  server.forget();
  h.write(records.one(1));
  server.accept(h);
  REQUIRE(settle(h));
  REQUIRE(within(5s, [&] { return (server.read(), server.messages().size() == 2); }));
  // The first was sent within the second before: it comes again, as the same message.
  CHECK(bodies(server.messages()) == lines(records.text()));
  CHECK_THAT(server.messages()[0], contains("sequenceId=\"1\""));
}

TEST_CASE("what a server left unread when it closed is sent again") {
  tcp_server server;
  syslog_handler h(over_tcp(server.port()));
  const numbered_records records(50);
  h.write(records.all());
  server.accept(h);
  REQUIRE(settle(h)); // the kernel at the other end has it all, the program nothing
  server.hang_up();   // a reset
  h.write(records.one(0));
  server.accept(h);
  REQUIRE(settle(h));
  REQUIRE(within(5s, [&] { return (server.read(), server.messages().size() == 51); }));
  CHECK(h.lost() == 0);
}

TEST_CASE("what the peer had for more than a second when it closed is not sent again") {
  tcp_server server;
  syslog_handler h(over_tcp(server.port()));
  const numbered_records records(2);
  h.write(records.one(0));
  server.accept(h);
  REQUIRE(settle(h));
  std::this_thread::sleep_for(syslog_handler::keep_interval + 300ms); // the interval itself is the behaviour
  server.read();
  server.hang_up();
  server.forget();
  h.write(records.one(1));
  server.accept(h);
  REQUIRE(settle(h));
  REQUIRE(within(5s, [&] { return (server.read(), !server.messages().empty()); }));
  CHECK(bodies(server.messages()) == std::vector<std::string>{"record 1."});
}

TEST_CASE("while there is no server messages wait up to the bound, and what is beyond it is counted") {
  const std::uint16_t port = test::free_port(SOCK_STREAM);
  syslog_options options = over_tcp(port);
  options.spool_bytes = 1000;
  syslog_handler h(options);
  const numbered_records records(20);
  int reports = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    h.write(records.one(i));
    try {
      h.flush();
    } catch (const std::system_error& e) {
      CHECK_THAT(e.what(), contains("127.0.0.1:" + std::to_string(port)));
      ++reports;
    }
  }
  CHECK(h.pending());
  const std::uint64_t lost = h.lost();
  CHECK(lost > 10);
  CHECK(lost < 20);
  tcp_server server(port);
  server.accept(h);
  REQUIRE(settle(h, &reports));
  REQUIRE(within(5s, [&] { return (server.read(), server.messages().size() == 20 - lost); }));
  CHECK(h.lost() == lost);
  CHECK(reports == 1);
}

TEST_CASE("a batch larger than the spool is taken by an empty queue, and refused whole by another") {
  syslog_options options = over_tcp(test::free_port(SOCK_STREAM));
  options.spool_bytes = 100;
  syslog_handler h(options);
  const numbered_records records(3);
  h.write(records.all());
  CHECK(h.lost() == 0);
  h.write(records.all());
  CHECK(h.lost() == 3);
}

TEST_CASE("what a full queue refused is a gap in the numbers of what the server gets") {
  syslog_options options = over_tcp(test::free_port(SOCK_STREAM));
  options.spool_bytes = 100;
  syslog_handler h(options);
  const numbered_records records(3);
  h.write(records.all());
  h.write(records.all()); // refused
  tcp_server server(options.port);
  server.accept(h);
  REQUIRE(settle(h));
  h.write(records.one(0));
  REQUIRE(settle(h));
  REQUIRE(within(5s, [&] { return (server.read(), server.messages().size() == 4); }));
  CHECK_THAT(server.messages()[3], contains("sequenceId=\"7\""));
}

TEST_CASE("the last flush counts what no server took, and leaves nothing") {
  syslog_options options = over_tcp(test::free_port(SOCK_STREAM));
  dump_envelope dump;
  syslog_handler h(options);
  h.write(numbered_records(3).all(&dump));
  CHECK_THROWS_AS(h.last_flush(test::in_time()), std::system_error);
  CHECK(h.lost() == 3);
  CHECK_FALSE(h.pending());
  h.last_flush(test::in_time());
  CHECK(h.lost() == 3);
}

TEST_CASE("the last flush waits for a server that is there") {
  tcp_server server;
  syslog_handler h(over_tcp(server.port()));
  const numbered_records records(3);
  h.write(records.all());
  h.last_flush(test::in_time()); // the kernel takes the connection
  CHECK_FALSE(h.pending());
  CHECK(h.lost() == 0);
  server.accept(h);
  CHECK(within(5s, [&] { return (server.read(), server.messages().size() == 3); }));
}

TEST_CASE("what the kernel took at the end and no server acknowledged counts as lost") {
  tcp_server server;
  server.narrow();
  syslog_handler h(over_tcp(server.port()));
  // More than the server's window takes, less than the kernel has room for.
  const numbered_records records(2000);
  h.write(records.all());
  server.accept(h);
  h.last_flush(std::chrono::steady_clock::now() + 100ms);
  CHECK(h.lost() > 0);
  CHECK_FALSE(h.pending());
  server.read();
  CHECK(h.lost() + server.messages().size() >= records.size());
  h.write(numbered_records(1, 5000).all()); // not behind half a message
  server.accept(h);
  server.forget();
  REQUIRE(settle(h));
  CHECK(within(5s, [&] {
    return (server.read(), bodies(server.messages()) == lines(numbered_records(1, 5000).text()));
  }));
}

TEST_CASE("one call sends a bounded part of what has gathered") {
  const bound_socket server(SOCK_DGRAM);
  syslog_handler h(over_udp(server.port()));
  h.write(numbered_records(1000).all()); // less than a write sends by itself
  std::string bytes(65536, '\0');
  const auto received = [&] {
    std::size_t count = 0;
    while (::recv(server.descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) ++count;
    return count;
  };
  h.flush();
  CHECK(received() > 0); // as many as its buffer holds
  h.flush();
  CHECK(received() > 0);
  REQUIRE(settle(h));
  CHECK(h.lost() == 0);
}

TEST_CASE("a UDP port that refuses is reported, however long the socket has been open") {
  auto server = std::make_unique<bound_socket>(SOCK_DGRAM);
  syslog_handler h(over_udp(server->port()));
  const numbered_records records(2);
  h.write(records.one(0));
  REQUIRE(settle(h));
  std::this_thread::sleep_for(syslog_handler::keep_interval + 300ms); // the interval itself is the behaviour
  server.reset();
  h.write(records.one(1));
  h.flush();
  CHECK_THROWS_AS(h.flush(), std::system_error);
}

TEST_CASE("over the local socket a full queue of the server makes messages wait") {
  const temporary_directory dir;
  local_server server(dir.file("log"));
  syslog_handler h(over_path(dir.file("log")));
  const numbered_records records(1000); // more than any queue of datagrams holds
  h.write(records.all());
  h.flush();
  CHECK(h.pending());
  std::vector<std::string> seen;
  CHECK(within(10s, [&] {
    for (std::string m = server.read(); !m.empty(); m = server.read()) seen.push_back(body(m));
    h.flush();
    return !h.pending();
  }));
  for (std::string m = server.read(); !m.empty(); m = server.read()) seen.push_back(body(m));
  CHECK(seen == lines(records.text()));
  CHECK(h.lost() == 0);
}

TEST_CASE("a server that is only slow is reported once it costs a batch, and again after it had caught up") {
  const temporary_directory dir;
  local_server server(dir.file("log"));
  syslog_options options = over_path(dir.file("log"));
  options.spool_bytes = 1000;
  syslog_handler h(options);
  const numbered_records records(1000); // more than any queue of datagrams holds
  for (const std::uint64_t lost : {2U, 4U}) {
    h.write(records.all());
    CHECK_NOTHROW(h.flush());
    REQUIRE(h.pending());
    h.write(records.one(0)); // before the work of encoding
    CHECK_THROWS_WITH(h.flush(), contains(dir.file("log")));
    h.write(records.one(1));
    CHECK_NOTHROW(h.flush());
    CHECK(h.lost() == lost);
    CHECK(h.dropped() == 0); // of batches in hand
    REQUIRE(within(10s, [&] {
      while (!server.read().empty()) {
      }
      h.flush();
      return !h.pending();
    }));
    while (!server.read().empty()) {
    }
    h.flush();
  }
}

TEST_CASE("a server that was slow and goes away is reported again, since it fails now") {
  const temporary_directory dir;
  auto server = std::make_unique<local_server>(dir.file("log"));
  syslog_options options = over_path(dir.file("log"));
  options.spool_bytes = 1000;
  syslog_handler h(options);
  const numbered_records records(1000);
  h.write(records.all());
  h.write(records.one(0));
  CHECK_THROWS_WITH(h.flush(), contains("unavailable"));
  server.reset();
  int reports = 0;
  CHECK(within(10s, [&] {
    try {
      h.flush();
    } catch (const std::system_error&) {
      ++reports;
    }
    return reports == 1;
  }));
}

TEST_CASE("a local server that is started anew gets what was written in between") {
  const temporary_directory dir;
  auto server = std::make_unique<local_server>(dir.file("log"));
  syslog_handler h(over_path(dir.file("log")));
  const numbered_records records(3);
  h.write(records.one(0));
  REQUIRE(settle(h));
  CHECK(body(server->read()) == "record 0");
  server.reset();
  h.write(records.one(1));
  CHECK_THROWS_AS(h.flush(), std::system_error);
  h.flush(); // reported once
  CHECK(h.pending());
  server = std::make_unique<local_server>(dir.file("log"));
  h.write(records.one(2));
  REQUIRE(settle(h));
  std::vector<std::string> seen;
  for (std::string m = server->read(); !m.empty(); m = server->read()) seen.push_back(body(m));
  CHECK(seen == lines(records.text())); // the first again: it was sent within the second before
}

TEST_CASE("a datagram that the kernel finds too large is cut until it fits") {
  const temporary_directory dir;
  local_server server(dir.file("log"));
  syslog_options options = over_path(dir.file("log"));
  options.max_message_bytes = 60000;
  syslog_handler h(options);
  h.write(numbered_records(1).all());
  REQUIRE(settle(h));
  CHECK(body(server.read()) == "record 0");
  const int bytes = 1; // the kernel makes it its least, some kilobytes
  REQUIRE(::setsockopt(h.link().descriptor(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
  const std::string large(50000, 'x');
  const record_view r = sample_record(large);
  h.write(batch({&r, 1}));
  REQUIRE(settle(h));
  const std::string seen = server.read();
  CHECK(seen.size() > 1000);
  CHECK(seen.size() < 5000);
  CHECK_THAT(seen, contains("xxx... (") && contains(" bytes cut)"));
  CHECK(h.lost() == 0);
}

TEST_CASE("a UDP port that refuses keeps its messages until it answers") {
  const std::uint16_t port = test::free_port(SOCK_DGRAM);
  syslog_handler h(over_udp(port));
  const numbered_records records(3);
  h.write(records.all());
  for (int i = 0; i < 20; ++i) flush_quietly(h);
  CHECK(h.pending());
  const bound_socket server(SOCK_DGRAM, port);
  REQUIRE(server.is_bound());
  REQUIRE(settle(h));
  std::string bytes(65536, '\0');
  for (const std::string& expected : lines(records.text())) {
    const ::ssize_t count = ::recv(server.descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    REQUIRE(count > 0);
    CHECK(body(bytes.substr(0, static_cast<std::size_t>(count))) == expected);
  }
}

TEST_CASE("a connection attempt that nobody answers ends at its time limit, and no call waits for it") {
  // A listener whose queue is full does not answer.
  const bound_socket listener(SOCK_STREAM);
  REQUIRE(::listen(listener.descriptor(), 0) == 0);
  std::vector<std::unique_ptr<syslog_handler>> fillers;
  syslog_options options = over_tcp(listener.port());
  options.connect_timeout = 1s; // far more than a machine that is busy with other things holds a call up
  const numbered_records records(1);
  std::chrono::nanoseconds longest{};
  bool timed_out = false;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(std::make_unique<syslog_handler>(options));
    fillers.back()->write(records.all());
  }
  CHECK(within(20s, [&] {
    for (const auto& h : fillers) {
      const auto begin = std::chrono::steady_clock::now();
      try {
        h->flush();
      } catch (const std::system_error& e) {
        timed_out = timed_out || e.code() == std::errc::timed_out;
      }
      longest = std::max<std::chrono::nanoseconds>(longest, std::chrono::steady_clock::now() - begin);
    }
    return timed_out;
  }));
  CHECK(longest < 800ms);
}

TEST_CASE(
    "a peer that takes nothing for its time limit is given up, and another connection gets the messages") {
  tcp_server server;
  server.narrow();
  syslog_options options = over_tcp(server.port());
  options.send_timeout = 200ms;
  syslog_handler h(options);
  const numbered_records records(20000); // more than the kernel's buffers take
  h.write(records.all());
  server.accept(h);
  server.accept(h, tcp_server::keep); // while the first connection is open and unread
  CHECK(within(60s, [&] {
    server.read();
    flush_quietly(h);
    return !h.pending();
  }));
  CHECK(within(5s, [&] { return (server.read(), server.messages().size() >= records.size()); }));
  CHECK(bodies(server.messages()) == lines(records.text())); // the first connection's were never read
  CHECK(h.lost() == 0);
}

TEST_CASE("a forked child sends nothing of the parent's, and speaks over a connection of its own") {
  const temporary_directory dir;
  local_server server(dir.file("log"));
  syslog_handler h(over_path(dir.file("log")));
  const numbered_records records(2);
  h.write(records.one(0)); // waits
  const ::pid_t child = ::fork();
  if (child == 0) {
    h.after_fork();
    if (h.pending()) ::_exit(1);
    h.write(records.one(1));
    ::_exit(settle(h) ? 0 : 2);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const std::string from_child = server.read();
  CHECK(body(from_child) == "record 1.");
  CHECK_THAT(from_child, contains(" shop " + std::to_string(child) + " "));
  CHECK(server.read().empty());
  REQUIRE(settle(h));
  CHECK(body(server.read()) == "record 0");
}

TEST_CASE("another formatter makes the message's text") {
  const temporary_directory dir;
  local_server server(dir.file("log"));
  syslog_options options = over_path(dir.file("log"));
  const handler_ptr h = make_syslog_handler(options);
  h->set_formatter(make_text_formatter("{level}: {message}"));
  record_view r = sample_record("two\nlines");
  r.exception_text = "std::runtime_error: x";
  h->write(batch({&r, 1}));
  REQUIRE(settle(*h));
  CHECK_THAT(body(server.read()), contains("DEBUG: two\\nlines") && contains("std::runtime_error: x"));
}
