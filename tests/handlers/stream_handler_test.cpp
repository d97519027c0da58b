#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "support/catch.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using test::contents;
using test::numbered_records;
using test::temporary_directory;

namespace {

struct closer {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file_ptr = std::unique_ptr<std::FILE, closer>;

handler_ptr make_plain(std::FILE* stream) {
  handler_ptr h = make_stream_handler(stream);
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

} // namespace

TEST_CASE("what was printed to the stream before comes first") {
  const temporary_directory dir;
  const numbered_records records(2);
  const file_ptr stream(std::fopen(dir.file("out").c_str(), "w"));
  REQUIRE(stream);
  std::fputs("printed before\n", stream.get());
  const handler_ptr h = make_plain(stream.get());
  h->write(records.all());
  h->flush();
  CHECK(contents(dir.file("out")) == "printed before\n" + records.text());
}

TEST_CASE("the stream stays open") {
  const temporary_directory dir;
  const file_ptr stream(std::fopen(dir.file("out").c_str(), "w"));
  REQUIRE(stream);
  {
    const handler_ptr h = make_plain(stream.get());
    h->write(numbered_records(1).all());
  }
  std::fputs("after\n", stream.get());
  std::fflush(stream.get());
  CHECK(contents(dir.file("out")) == "record 0\nafter\n");
}

TEST_CASE("a stream that cannot be written by descriptor is refused") {
  CHECK_THROWS_AS(make_stream_handler(nullptr), configuration_error);
  char memory[16];
  const file_ptr in_memory(::fmemopen(memory, sizeof memory, "w"));
  REQUIRE(in_memory);
  CHECK_THROWS_AS(make_stream_handler(in_memory.get()), configuration_error);
  const file_ptr reading(std::fopen("/dev/null", "r"));
  REQUIRE(reading);
  CHECK_THROWS_WITH(make_stream_handler(reading.get()), test::contains("reading only"));
}

TEST_CASE("a pipe whose reader is slow receives everything in order") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  const file_ptr stream(::fdopen(ends[1], "w"));
  REQUIRE(stream);
  const numbered_records records(20'000); // more than a pipe holds
  const handler_ptr h = make_plain(stream.get());
  h->write(records.all());
  std::string received;
  char buffer[5000];
  while (received.size() < records.text().size()) {
    REQUIRE_NOTHROW(h->flush());
    const ::ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    if (n > 0) received.append(buffer, static_cast<std::size_t>(n));
  }
  CHECK(received == records.text());
  CHECK_FALSE(h->pending());
  ::close(ends[0]);
}

namespace {

/// A pipe whose writing end waits, as a program's standard error may be one.
struct waiting_pipe {
  waiting_pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reading = ends[0];
    stream.reset(::fdopen(ends[1], "w"));
    REQUIRE(stream);
  }
  waiting_pipe(const waiting_pipe&) = delete;
  waiting_pipe& operator=(const waiting_pipe&) = delete;
  ~waiting_pipe() { close_reading(); }

  void close_reading() {
    if (reading >= 0) ::close(reading);
    reading = -1;
  }
  std::string read_some(std::size_t most) {
    std::string text(most, '\0');
    const ::ssize_t n = ::read(reading, text.data(), text.size());
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }

  int reading = -1;
  file_ptr stream;
};

/// Ends a test that hangs.
struct deadline {
  deadline() { ::alarm(60); }
  ~deadline() { ::alarm(0); }
};

} // namespace

TEST_CASE(
    "a pipe or a socket that nobody reads holds up nobody, and what it never takes is counted at the end") {
  const deadline limit;
  const numbered_records records(20'000);
  int sockets[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  const file_ptr socket(::fdopen(sockets[1], "w"));
  waiting_pipe pipe;
  for (const auto& [stream, reading] :
       {std::pair{pipe.stream.get(), pipe.reading}, std::pair{socket.get(), sockets[0]}}) {
    const handler_ptr h = make_plain(stream);
    h->write(records.all());
    CHECK_NOTHROW(h->flush());
    CHECK(h->pending());
    CHECK(h->lost() == 0);
    CHECK_THROWS_WITH(h->last_flush(test::in_time()), test::contains("records are lost at the end"));
    CHECK_FALSE(h->pending());
    REQUIRE(::fcntl(reading, F_SETFL, O_NONBLOCK) == 0);
    std::string received(records.text().size(), '\0');
    std::size_t size = 0;
    for (::ssize_t n = 1; n > 0; size += n > 0 ? static_cast<std::size_t>(n) : 0)
      n = ::read(reading, received.data() + size, received.size() - size);
    const auto lines =
        std::count(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(size), '\n');
    CHECK(static_cast<std::size_t>(lines) + h->lost() == 20'000);
    CHECK(h->lost() > 0);
  }
  ::close(sockets[0]);
}

TEST_CASE("stop waits for a slow reader as long as it reads, and says so when it does not") {
  const deadline limit;
  waiting_pipe pipe;
  runtime rt({.default_target = make_null_handler(), .outbox_bytes = 4U << 20});
  const handler_ptr h = make_plain(pipe.stream.get());
  logger lg = rt.get_logger();
  lg.add_handler(h);
  const std::string long_text(1000, 'x');
  const auto log = [&](int records) {
    for (int i = 0; i < records; ++i) FAULTLINE_INFO(lg, "{}", long_text);
  };
  SECTION("it reads") {
    std::string received;
    std::thread reader([&] {
      for (std::string part = pipe.read_some(2000); !part.empty(); part = pipe.read_some(2000)) {
        received += part;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    log(1000);
    CHECK(rt.stop());
    CHECK(rt.stats().handler_lost == 0);
    pipe.stream.reset();
    reader.join();
    CHECK(received.size() == 1000 * (long_text.size() + 1));
  }
  SECTION("it does not") {
    log(200);
    CHECK_FALSE(rt.stop());
    CHECK(rt.stats().handler_lost >= 200 - 65); // less what the pipe holds
    CHECK(rt.stats().handler_lost == h->lost());
  }
  CHECK(rt.stats().lost == 0);
}

TEST_CASE("a reader that has gone does not end the program") {
  const numbered_records records(3);
  ::sigset_t pending;
  SECTION("when a handler is destroyed") {
    waiting_pipe pipe;
    handler_ptr h = make_plain(pipe.stream.get());
    h->write(records.all());
    pipe.close_reading();
    h.reset();
  }
  SECTION("when the program runs the rounds") {
    waiting_pipe pipe;
    test::manual_runtime rt({.on_error = [](const error_report&) {}});
    rt.get().add_handler(make_plain(pipe.stream.get()));
    pipe.close_reading();
    FAULTLINE_INFO(rt.get(), "one");
    rt.get_runtime().run_once();
    CHECK_FALSE(rt.get_runtime().stop());
    CHECK(rt.stats().handler_lost == 1);
  }
  REQUIRE(::sigpending(&pending) == 0);
  CHECK(::sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("a program that was started without standard error", "[.started]") { // by the next one
  const int data = ::open(::getenv("FAULTLINE_DATA"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  REQUIRE(data == STDERR_FILENO);
  runtime rt; // the default target
  logger lg = rt.get_logger("svc");
  {
    FAULTLINE_SCOPE(lg, "request");
    FAULTLINE_ERROR(lg, "failed");
  }
  (void)rt.stop();
  CHECK(rt.stats().handler_lost >= 1);
  CHECK(rt.stats().handler_errors >= 1);
  CHECK_THROWS_WITH(make_stream_handler(stderr), test::contains("closed when the program began"));
  CHECK(contents(::getenv("FAULTLINE_DATA")).empty());
}

TEST_CASE("what gets the number of a standard error that was closed at the start is not written to") {
  const temporary_directory dir;
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::setenv("FAULTLINE_DATA", dir.file("data").c_str(), 1);
    (void)::close(STDERR_FILENO);
    (void)::execl("/proc/self/exe", "handlers_test", "[.started]", nullptr);
    ::_exit(1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(std::filesystem::exists(dir.file("data")));
}

TEST_CASE("the master of a pseudo-terminal is written to, not another one that is opened in its place") {
  const deadline limit;
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(master >= 0);
  REQUIRE(::grantpt(master) == 0);
  REQUIRE(::unlockpt(master) == 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  const file_ptr stream(::fdopen(master, "w"));
  const handler_ptr h = make_plain(stream.get());
  const numbered_records records(3);
  h->write(records.all());
  h->flush();
  std::string line(64, '\0');
  const ::ssize_t size = ::read(terminal, line.data(), line.size()); // a line at a time
  REQUIRE(size > 0);
  CHECK(records.text().starts_with(line.substr(0, static_cast<std::size_t>(size))));
  CHECK(h->lost() == 0);
  ::close(terminal);
}

TEST_CASE("a reader that is slow is reported when it costs a batch, and then that it is gone") {
  const deadline limit;
  waiting_pipe pipe;
  const handler_ptr h = make_plain(pipe.stream.get());
  const numbered_records records(20'000);
  while (h->lost() == 0) h->write(records.all());
  CHECK_THROWS_WITH(h->flush(), test::contains("unavailable"));
  CHECK_NOTHROW(h->flush()); // once
  pipe.close_reading();
  ::signal(SIGPIPE, SIG_IGN);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK_THROWS_WITH(h->flush(), test::contains("Broken pipe"));
  ::signal(SIGPIPE, SIG_DFL);
}
