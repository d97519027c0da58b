#include "flusher/error_log.hpp"

#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "support/catch.hpp"

using namespace faultline;
using detail::error_log;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

/// What `use` writes to the descriptor of stderr, which the log is told of.
template <class Use> std::string on_stderr(error_log& log, Use use) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  log.accept_standard_error();
  use();
  ::dup2(before, STDERR_FILENO); // closes the pipe's last end
  ::close(before);
  std::string text(4096, '\0');
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

} // namespace

TEST_CASE("failures of one source are reported at most once a second, with their number") {
  std::vector<std::string> reports;
  error_log log([&](const error_report& r) {
    reports.push_back(std::string(r.kind) + " " + std::string(r.detail) + " " + std::to_string(r.count));
  });
  const int one = 0;
  log.add(error_log::kind::handler, &one, "a", second);
  log.add(error_log::kind::handler, &one, "b", second + 1);
  log.add(error_log::kind::flusher, nullptr, "c", second + 1);
  log.add(error_log::kind::handler, &one, "d", 2 * second);
  CHECK(reports == std::vector<std::string>{"handler a 1", "flusher c 1", "handler d 2"});
}

TEST_CASE("a report's text is cut between characters") {
  std::string seen;
  error_log log([&](const error_report& r) { seen = r.detail; });
  log.add(error_log::kind::flusher, nullptr, std::string(998, 'x') + "\u20ac\u20ac", second);
  CHECK(seen == std::string(998, 'x'));
}

TEST_CASE("a noisy handler does not hide what another one says once") {
  std::vector<std::string> reports;
  error_log log([&](const error_report& r) { reports.emplace_back(r.detail); });
  const int noisy = 0;
  const int quiet = 0;
  for (std::uint64_t i = 0; i < 100; ++i) log.add(error_log::kind::handler, &noisy, "noise", second + i);
  log.add(error_log::kind::handler, &quiet, "once", second + 50);
  CHECK(reports == std::vector<std::string>{"noise", "once"});
}

TEST_CASE("what had to wait is reported when its second is over, or at the end") {
  std::vector<std::string> reports;
  error_log log([&](const error_report& r) {
    reports.push_back(std::string(r.detail) + " " + std::to_string(r.count));
  });
  const int one = 0;
  log.add(error_log::kind::handler, &one, "first", second);
  log.add(error_log::kind::handler, &one, "second", second + 1);
  log.add(error_log::kind::handler, &one, "third", second + 2);
  log.report_due(2 * second - 1);
  CHECK(reports == std::vector<std::string>{"first 1"});
  log.report_due(2 * second);
  log.report_due(9 * second);
  CHECK(reports == std::vector<std::string>{"first 1", "third 2"});
  log.add(error_log::kind::handler, &one, "fourth", 9 * second);
  log.add(error_log::kind::handler, &one, "fifth", 9 * second);
  log.report_all();
  log.report_all();
  CHECK(reports == std::vector<std::string>{"first 1", "third 2", "fourth 1", "fifth 1"});
}

TEST_CASE("without a callback a report is one line on stderr, hostile as its text may be") {
  error_log log({});
  CHECK(on_stderr(log, [&] { log.add(error_log::kind::handler, nullptr, "a\nb", second); }) ==
        "faultline: handler: a\\nb\n");
  CHECK(on_stderr(log, [&] { log.add(error_log::kind::handler, nullptr, "c", second + 1); }).empty());
  CHECK(on_stderr(log, [&] { log.add(error_log::kind::handler, nullptr, "d", 3 * second); }) ==
        "faultline: handler: d (2 failures)\n");
}

TEST_CASE("a standard error that takes nothing holds up nobody, and has the report when it does again") {
  error_log log({});
  const std::string filler(1 << 16, '.'); // all that the pipe holds
  const std::string text = on_stderr(log, [&] {
    REQUIRE(::write(STDERR_FILENO, filler.data(), filler.size()) == static_cast<ssize_t>(filler.size()));
    ::alarm(10); // a report that waits is not to hang the suite
    log.add(error_log::kind::handler, nullptr, "while it is full", second);
    ::alarm(0);
  });
  CHECK(text.find('f') == std::string::npos);
  CHECK(on_stderr(log, [&] { log.report_due(2 * second); }) == "faultline: handler: while it is full\n");
}

TEST_CASE("a report that is long and hostile is cut to what a pipe takes as a whole") {
  error_log log({});
  const std::string text =
      on_stderr(log, [&] { log.add(error_log::kind::handler, nullptr, std::string(5000, '\x01'), second); });
  CHECK(text.size() <= 4096);
  CHECK(text.ends_with('\n'));
}

TEST_CASE("a terminal that takes part of a report gets the rest before the next one") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  REQUIRE(master >= 0);
  REQUIRE(::grantpt(master) == 0);
  REQUIRE(::unlockpt(master) == 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  REQUIRE(terminal >= 0);
  ::termios raw{};
  REQUIRE(::tcgetattr(terminal, &raw) == 0);
  ::cfmakeraw(&raw);
  REQUIRE(::tcsetattr(terminal, TCSANOW, &raw) == 0);
  const std::string filler(1 << 12, '.');
  while (::write(terminal, filler.data(), filler.size()) > 0) {
  }
  while (::write(terminal, filler.data(), 1) > 0) { // the last byte of room
  }
  const int before = ::dup(STDERR_FILENO);
  std::string received;
  const auto read_some = [&](std::size_t most) {
    std::string text(most, '\0');
    const ::ssize_t size = ::read(master, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    received += text;
    return !text.empty();
  };
  ::dup2(terminal, STDERR_FILENO);
  error_log log({});
  log.add(error_log::kind::handler, nullptr, std::string(900, 'a'), second);
  for (std::uint64_t now = 2; now < 2000 && received.find("again") == std::string::npos; ++now) {
    (void)read_some(100);
    log.report_due(now * second);
    if (now == 1000) log.add(error_log::kind::handler, nullptr, "again", now * second);
    if (now > 1000) (void)read_some(1 << 16);
  }
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(terminal);
  ::close(master);
  received.erase(0, received.find('f'));
  CHECK(received == "faultline: handler: " + std::string(900, 'a') + "\nfaultline: handler: again\n");
}

TEST_CASE(
    "a standard error that takes part of a report gets the rest of it first, and then what came meanwhile") {
  const int file = ::memfd_create("stderr", MFD_CLOEXEC);
  REQUIRE(file >= 0);
  ::rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &usual) == 0);
  const ::rlimit small{100, usual.rlim_max};
  const int before = ::dup(STDERR_FILENO);
  ::dup2(file, STDERR_FILENO);
  error_log log({});
  const auto signal_before = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  log.add(error_log::kind::handler, nullptr, std::string(900, 'a'), second);
  log.add(error_log::kind::flusher, nullptr, "meanwhile", second);
  log.report_due(2 * second);
  const ::off_t size_of_part = ::lseek(file, 0, SEEK_END);
  ::setrlimit(RLIMIT_FSIZE, &usual);
  (void)::signal(SIGXFSZ, signal_before);
  log.report_due(3 * second);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::string text(4096, '\0');
  const ::ssize_t size = ::pread(file, text.data(), text.size(), 0);
  ::close(file);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  CHECK(size_of_part == 100);
  CHECK(text == "faultline: handler: " + std::string(900, 'a') + "\nfaultline: flusher: meanwhile\n");
}

TEST_CASE("a callback that throws was told") {
  int calls = 0;
  error_log log([&](const error_report&) {
    ++calls;
    throw 1;
  });
  log.add(error_log::kind::handler, nullptr, "a", second);
  log.report_all();
  CHECK(calls == 1);
}
