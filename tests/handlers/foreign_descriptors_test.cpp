// Descriptors that the program closed and used again beneath its handlers: nothing foreign is written to and
// nothing foreign is closed.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration.hpp>
#include <faultline/configuration_error.hpp>
#include <faultline/faultline.hpp>

#include "base/descriptor_identity.hpp"
#include "handlers/file_handler.hpp"
#include "handlers/rotating_file_handler.hpp"
#include "handlers/stream_handler.hpp"
#include "support/catch.hpp"
#include "support/failing_calls.hpp"
#include "support/in_time.hpp"
#include "support/rotated_text.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"
#include "support/thread_sanitizer.hpp"

using namespace faultline;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::contains;
using test::contents;
using test::failing_calls;
using test::numbered_records;
using test::temporary_directory;

namespace {

/// How a number comes to be the program's own.
enum class reuse { none, file, duplicate, socket, pipe };
constexpr std::array all_reuses = {reuse::none, reuse::file, reuse::duplicate, reuse::socket, reuse::pipe};

/// Something of the program's own under a number that a handler had.
class foreign {
 public:
  foreign(reuse how, int number, const std::string& path) : how_(how), number_(number), path_(path) {
    std::array<int, 2> ends{-1, -1};
    if (how == reuse::socket) REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    if (how == reuse::pipe) REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    other_end_ = ends[0];
    if (how == reuse::none || how == reuse::file) (void)::close(number);
    if (how == reuse::file || how == reuse::duplicate) {
      ends[1] = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      REQUIRE(::write(ends[1], header.data(), header.size()) == static_cast<::ssize_t>(header.size()));
    }
    if (ends[1] >= 0 && ends[1] != number) {
      REQUIRE(::dup2(ends[1], number) == number);
      (void)::close(ends[1]);
    }
    identity_ = detail::descriptor_identity::of(number);
  }
  foreign(const foreign&) = delete;
  foreign& operator=(const foreign&) = delete;
  ~foreign() {
    if (how_ != reuse::none && is_open()) (void)::close(number_);
    if (other_end_ >= 0) (void)::close(other_end_);
  }

  [[nodiscard]] bool is_open() const { return how_ == reuse::none || identity_.is_at(number_); }
  /// Bytes that somebody else wrote to it.
  [[nodiscard]] std::size_t bytes() const {
    if (how_ == reuse::none) return 0;
    if (other_end_ < 0) return contents(path_).size() - header.size();
    std::array<char, 4096> taken{};
    REQUIRE(::fcntl(other_end_, F_SETFL, O_NONBLOCK) == 0);
    const ::ssize_t n = ::read(other_end_, taken.data(), taken.size());
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

 private:
  static constexpr std::string_view header = "HEADER";
  const reuse how_;
  const int number_;
  const std::string path_;
  int other_end_ = -1;
  detail::descriptor_identity identity_;
};

/// The number under which this process has the file open, -1 for none.
int number_of(const std::string& path) {
  for (int number = 0; number < 1024; ++number) {
    std::error_code closed;
    if (fs::read_symlink("/proc/self/fd/" + std::to_string(number), closed) == path) return number;
  }
  return -1;
}

enum class kind { file, rotating };
constexpr std::array both_kinds = {kind::file, kind::rotating};

handler_ptr make(kind k, const std::string& path,
                 const detail::system_calls& calls = detail::real_system_calls()) {
  handler_ptr h;
  if (k == kind::file)
    h = std::make_shared<detail::file_handler>(path, file_options{}, calls);
  else
    h = std::make_shared<detail::rotating_file_handler>(path, rotating_file_options{.keep = 3}, calls);
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

/// What a flush reports, empty for nothing.
std::string report_of(handler& h) {
  try {
    h.flush();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// Writes the first record before the number changes hands, and the second one afterwards.
struct in_two_parts {
  explicit in_two_parts(handler& to) : h(to) {
    h.write(records.one(0));
    h.flush();
  }
  void go_on() const { h.write(records.one(1)); }

  const numbered_records records{2};
  handler& h;
};

/// Whether `play` succeeds in a forked child.
bool in_child(const std::function<bool()>& play) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = play();
    } catch (...) {
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

/// A folder to work in, for as long as it lives.
class working_directory {
 public:
  explicit working_directory(const std::string& path) : before_(fs::current_path()) {
    fs::current_path(path);
  }
  working_directory(const working_directory&) = delete;
  working_directory& operator=(const working_directory&) = delete;
  ~working_directory() { fs::current_path(before_); }

 private:
  const fs::path before_;
};

struct closer {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using stream_ptr = std::unique_ptr<std::FILE, closer>;

} // namespace

TEST_CASE("a file whose number was closed or used again is opened anew, and nothing foreign is touched") {
  for (const kind k : both_kinds)
    for (const reuse how : all_reuses) {
      const temporary_directory dir;
      handler_ptr h = make(k, dir.file("log"));
      const in_two_parts text(*h);
      const foreign other(how, number_of(dir.file("log")), dir.file("data"));
      text.go_on();
      CHECK_THAT(report_of(*h), contains("opened anew"));
      CHECK(report_of(*h).empty()); // once
      CHECK(contents(dir.file("log")) == text.records.text());
      CHECK(h->lost() == 0);
      h.reset();
      CHECK(other.bytes() == 0);
      CHECK(other.is_open());
    }
}

TEST_CASE("without the comparison records go into the program's data file, and it is closed") {
  // The seam answers each fstat as if the descriptor were the log's.
  static std::string log;
  detail::system_calls blind = detail::real_system_calls();
  blind.fstat = [](int, struct ::stat* facts) { return ::stat(log.c_str(), facts); };
  for (const kind k : both_kinds) {
    const temporary_directory dir;
    log = dir.file("log");
    handler_ptr h = make(k, log, blind);
    const in_two_parts text(*h);
    const foreign other(reuse::duplicate, number_of(log), dir.file("data"));
    text.go_on();
    CHECK(report_of(*h).empty());
    CHECK(other.bytes() > 0);
    CHECK(other.is_open());
    h.reset();
    CHECK_FALSE(other.is_open());
  }
}

TEST_CASE("reopening and destroying a handler close nothing foreign") {
  for (const kind k : both_kinds)
    for (const bool reopens : {true, false}) {
      const temporary_directory dir;
      handler_ptr h = make(k, dir.file("log"));
      const in_two_parts text(*h);
      const foreign other(reuse::duplicate, number_of(dir.file("log")), dir.file("data"));
      text.go_on();
      if (reopens) h->reopen();
      h.reset();
      CHECK(contents(dir.file("log")) == text.records.text());
      CHECK(other.bytes() == 0);
      CHECK(other.is_open());
    }
}

TEST_CASE("a rotation leaves a foreign descriptor alone") {
  const temporary_directory dir;
  const numbered_records records(3);
  const handler_ptr h = make_rotating_file_handler(dir.file("log"), {.max_bytes = 1});
  h->set_formatter(make_text_formatter("{message}"));
  h->write(records.one(0));
  h->flush();
  const foreign other(reuse::duplicate, number_of(dir.file("log")), dir.file("data"));
  h->write(records.one(1)); // due at once
  h->write(records.one(2));
  CHECK_THAT(report_of(*h), contains("opened anew"));
  CHECK(test::text_of_all(dir.file("log")) == records.text());
  CHECK(failed_rotations(*h) == 0);
  CHECK(other.bytes() == 0);
  CHECK(other.is_open());
}

#if FAULTLINE_TEST_ZSTD
TEST_CASE("a compression whose descriptors are used for something else is given up, and the old file stays") {
  // Each call comes before the next comparison of the descriptor that is taken.
  for (const auto& [from, call] : {std::pair{"log.1", "ftruncate"}, std::pair{"log.compressing", "read"}}) {
    const temporary_directory dir;
    failing_calls disk;
    const std::string taken = dir.file(from);
    const std::string_view when = call;
    std::unique_ptr<foreign> other; // the thread makes it, before it says so by its report
    disk.error_of = [&](std::string_view name, std::size_t, std::string_view) {
      if (name == when && !other)
        other = std::make_unique<foreign>(reuse::duplicate, number_of(taken), dir.file("data"));
      return 0;
    };
    const numbered_records records(2);
    auto h = std::make_shared<detail::rotating_file_handler>(
        dir.file("log"), rotating_file_options{.max_bytes = 1, .compress = true}, failing_calls::table());
    h->set_formatter(make_text_formatter("{message}"));
    h->write(records.all());
    std::string report;
    CHECK(test::within(10s, [&] { return !(report = report_of(*h)).empty(); }));
    CHECK_THAT(report, contains("the program closed a descriptor"));
    h.reset();
    CHECK(contents(dir.file("log.1")) == "record 0\n");
    CHECK(other->bytes() == 0);
    CHECK(other->is_open());
  }
}
#endif

TEST_CASE("a line that was begun is completed in its file, and counted where that is another one") {
  for (const bool moved : {false, true}) {
    const temporary_directory dir;
    failing_calls disk;
    const handler_ptr h = make(kind::file, dir.file("log"), failing_calls::table());
    const numbered_records records(2);
    disk.most_bytes = 3;
    bool full = false;
    disk.error_of = [&](std::string_view name, std::size_t, std::string_view) {
      return name == "write" && std::exchange(full, true) ? ENOSPC : 0;
    };
    h->write(records.one(0));
    CHECK_THAT(report_of(*h), contains("No space"));
    disk.error_of = nullptr;
    disk.now += 1s;
    const foreign other(reuse::duplicate, number_of(dir.file("log")), dir.file("data"));
    if (moved) fs::rename(dir.file("log"), dir.file("aside"));
    h->write(records.one(1));
    (void)report_of(*h);
    CHECK(contents(dir.file("log")) == (moved ? "record 1.\n" : records.text()));
    CHECK(h->lost() == (moved ? 1 : 0));
    CHECK(other.bytes() == 0);
  }
}

TEST_CASE("where the path cannot be opened again the text waits, the cause is told, and it goes on") {
  for (const kind k : both_kinds) {
    const temporary_directory dir;
    failing_calls disk;
    const handler_ptr h = make(k, dir.file("log"), failing_calls::table());
    const in_two_parts text(*h);
    const foreign other(reuse::duplicate, number_of(dir.file("log")), dir.file("data"));
    fs::rename(dir.file("log"), dir.file("aside"));
    fs::create_symlink(dir.file("aside"), dir.file("log"));
    text.go_on();
    CHECK_THAT(report_of(*h), contains("opened anew"));
    CHECK_THAT(report_of(*h), contains("symbolic links are not followed"));
    CHECK(report_of(*h).empty());
    CHECK(h->pending());
    const std::size_t before = disk.calls;
    CHECK(report_of(*h).empty());
    CHECK(disk.calls == before); // the next attempt is in 100 ms
    SECTION("it ends") {
      CHECK_THROWS_WITH(h->last_flush(test::in_time()),
                        contains("1 records are lost at the end") && contains("symbolic links"));
      CHECK(h->lost() == 1);
    }
    SECTION("it can be opened again") {
      fs::remove(dir.file("log"));
      disk.now += 100ms;
      CHECK(report_of(*h).empty());
      CHECK(contents(dir.file("log")) == "record 1.\n");
      CHECK(h->lost() == 0);
    }
    CHECK(other.bytes() == 0);
    CHECK(other.is_open());
  }
}

TEST_CASE("a stream's records go to nothing that took its number, and are counted") {
  for (const bool is_console : {false, true})
    for (const reuse how : all_reuses) {
      const temporary_directory dir;
      const stream_ptr stream(std::fopen(dir.file("out").c_str(), "w"));
      REQUIRE(stream);
      const int number = ::fileno(stream.get());
      handler_ptr h = is_console ? make_console_handler({.stream = stream.get(), .pattern = "{message}"})
                                 : make_stream_handler(stream.get());
      h->set_formatter(make_text_formatter("{message}"));
      const in_two_parts text(*h);
      const int kept = ::dup(number);
      {
        const foreign other(how, number, dir.file("data"));
        text.go_on();
        CHECK_THAT(report_of(*h), contains("closed, or is open on something else"));
        text.go_on();
        CHECK(report_of(*h).empty()); // once
        CHECK_FALSE(h->pending());
        CHECK(h->lost() == 2);
        if (how != reuse::pipe) CHECK_THROWS_WITH(h->reopen(), contains("output stream"));
        CHECK(other.bytes() == 0);
        CHECK(other.is_open());
      }
      REQUIRE(::dup2(kept, number) == number); // what it was is back
      (void)::close(kept);
      h->reopen();
      text.go_on();
      CHECK(report_of(*h).empty());
      CHECK(contents(dir.file("out")) == text.records.text());
      h.reset();
    }
}

TEST_CASE("a stream that is what it was goes on, and so does one that became the null device") {
  const temporary_directory dir;
  failing_calls time;
  const stream_ptr stream(std::fopen(dir.file("out").c_str(), "w"));
  REQUIRE(stream);
  const int number = ::fileno(stream.get());
  const auto h = std::make_shared<detail::stream_handler>(number, failing_calls::table());
  h->set_formatter(make_text_formatter("{message}"));
  const in_two_parts text(*h);
  const int kept = ::dup(number);
  {
    const foreign other(reuse::duplicate, number, dir.file("data"));
    text.go_on();
    CHECK_FALSE(report_of(*h).empty());
    REQUIRE(::dup2(kept, number) == number);
  }
  text.go_on();
  CHECK(h->lost() == 2); // the next look is in 100 ms
  time.now += 100ms;
  text.go_on();
  CHECK(report_of(*h).empty());
  CHECK(contents(dir.file("out")) == text.records.text());
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  REQUIRE(::dup2(nowhere, number) == number);
  text.go_on();
  CHECK(report_of(*h).empty());
  CHECK(h->lost() == 2);
  REQUIRE(::dup2(kept, number) == number);
  for (const int d : {nowhere, kept}) (void)::close(d);
}

TEST_CASE("a redirection that the program asks for is taken where it can be an output stream") {
  const temporary_directory dir;
  const auto opened = [&](int flags) {
    return ::open(dir.file("after").c_str(), flags | O_CREAT | O_CLOEXEC, 0600);
  };
  for (const auto& [flags, is_taken] : {std::pair{O_WRONLY | O_APPEND, true},
                                        {O_WRONLY, false},
                                        {O_RDWR, false},
                                        {O_RDWR | O_APPEND, false}}) {
    const stream_ptr stream(std::fopen(dir.file("before").c_str(), "w"));
    REQUIRE(stream);
    const handler_ptr h = make_stream_handler(stream.get());
    h->set_formatter(make_text_formatter("{message}"));
    const in_two_parts text(*h);
    const int other = opened(flags | O_TRUNC);
    REQUIRE(::dup2(other, ::fileno(stream.get())) >= 0);
    (void)::close(other);
    if (is_taken)
      h->reopen();
    else
      CHECK_THROWS_WITH(h->reopen(), contains("output stream"));
    text.go_on();
    CHECK(report_of(*h).empty() == is_taken);
    CHECK(contents(dir.file("after")) == (is_taken ? "record 1.\n" : ""));
    CHECK(h->lost() == (is_taken ? 0 : 1));
  }
}

TEST_CASE("a stream that is closed is refused where it is set") {
  const int number = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const stream_ptr stream(::fdopen(number, "w"));
  REQUIRE(stream);
  (void)::close(number);
  CHECK_THROWS_WITH(make_stream_handler(stream.get()), contains("closed"));
  CHECK_THROWS_AS(make_stream_handler(stream.get()), configuration_error);
  CHECK_THROWS_AS(make_console_handler({.stream = stream.get()}), configuration_error);
}

TEST_CASE(
    "a standard error that is closed, or becomes the program's data file, gets neither records nor reports") {
  for (const bool at_start : {true, false}) {
    const temporary_directory dir;
    CHECK(in_child([&] {
      if (at_start) (void)::close(STDERR_FILENO);
      runtime rt; // the default target
      logger lg = rt.get_logger("svc");
      const auto fail_once = [&] {
        FAULTLINE_SCOPE(lg, "request");
        FAULTLINE_ERROR(lg, "failed");
      };
      if (!at_start) (void)::close(STDERR_FILENO);
      const int data = ::open(dir.file("data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      fail_once();
      (void)rt.flush();
      const runtime_stats first = rt.stats();
      rt.reopen();
      fail_once();
      (void)rt.stop();
      return data == STDERR_FILENO && contents(dir.file("data")).empty() && first.handler_lost == 1 &&
             first.handler_errors == 1 && rt.stats().handler_lost == 2;
    }));
  }
}

#ifndef FAULTLINE_TEST_TSAN // it lets no child of a program with threads start one of its own
TEST_CASE("a child that closes all descriptors and opens its own goes on in the log, forked or in place") {
  for (const bool forks : {true, false}) {
    const temporary_directory dir;
    CHECK(in_child([&] {
      std::vector<std::string> reports;
      runtime rt({.default_target = make_null_handler(),
                  .on_error = [&](const error_report& r) { reports.emplace_back(r.detail); }});
      rt.get_logger().add_handler(make(kind::file, dir.file("log")));
      rt.get_logger().add_handler(make(kind::rotating, dir.file("rotating")));
      logger lg = rt.get_logger("svc");
      FAULTLINE_INFO(lg, "before");
      if (!rt.flush()) return false;
      const auto daemonize = [&] {
        std::vector<int> numbers{number_of(dir.file("log")), number_of(dir.file("rotating"))};
        for (int d = 3; d < 1024; ++d) (void)::close(d);
        std::vector<std::unique_ptr<foreign>> others;
        for (const int number : numbers)
          others.push_back(std::make_unique<foreign>(reuse::duplicate, number, dir.file("data")));
        FAULTLINE_INFO(lg, "after");
        bool good = rt.flush() && rt.stats().handler_errors == 2 && reports.size() == 2;
        rt.reopen();
        FAULTLINE_INFO(lg, "again");
        good = rt.stop() && good && rt.stats().handler_lost == 0;
        for (const auto& other : others) good = good && other->bytes() == 0 && other->is_open();
        return good;
      };
      return forks ? in_child(daemonize) : daemonize();
    }));
    CHECK(contents(dir.file("log")) == "before\nafter\nagain\n");
    CHECK(contents(dir.file("rotating")) == "before\nafter\nagain\n");
  }
}
#endif

TEST_CASE("what a program opens gets no number of a closed standard stream from a handler") {
  const temporary_directory dir;
  CHECK(in_child([&] {
    for (const int standard : {0, 1, 2}) (void)::close(standard);
    const numbered_records records(3);
    const handler_ptr file = make_file_handler(dir.file("log"));
    const handler_ptr rotating = make_rotating_file_handler(dir.file("rotating"), {.max_bytes = 1});
    for (const handler_ptr& h : {file, rotating}) {
      h->write(records.all());
      h->flush();
      h->reopen();
    }
    for (const int standard : {0, 1, 2})
      if (::fcntl(standard, F_GETFD) != -1) return false;
    return contents(dir.file("log")).size() == contents(dir.file("rotating.1")).size() * 3 ||
           !contents(dir.file("rotating.2")).empty();
  }));
}

TEST_CASE("after a change of the working directory the log is still in its own folder") {
  const temporary_directory dir;
  fs::create_directory(dir.file("other"));
  std::ofstream(dir.file("other/log")) << "text";
  const working_directory first(dir.file(""));
  configuration settings;
  settings.set("target", "file:from_settings?mode=0640");
  settings.add_handler("", "rotating:log");
  for (const kind k : both_kinds) {
    fs::remove(dir.file("log"));
    fs::current_path(dir.file(""));
    const handler_ptr h = make(k, "log");
    const in_two_parts text(*h);
    fs::current_path(dir.file("other"));
    text.go_on();
    CHECK(report_of(*h).empty());
    h->reopen();
    text.go_on();
    CHECK(report_of(*h).empty());
    CHECK(contents(dir.file("log")) == text.records.text() + "record 1.\n");
  }
  runtime rt(settings.options());
  settings.apply(rt);
  CHECK(fs::exists(dir.file("from_settings")));
  CHECK(contents(dir.file("other/log")) == "text");
  CHECK(test::names_in(dir.file("other")) == std::vector<std::string>{"log"});
}

TEST_CASE("a relative path without a working directory is refused with that cause") {
  const temporary_directory dir;
  fs::create_directory(dir.file("gone"));
  const working_directory there(dir.file("gone"));
  fs::remove(dir.file("gone"));
  CHECK_THROWS_WITH(make_file_handler("log"), contains("log") && contains("no working directory"));
  CHECK_THROWS_AS(make_rotating_file_handler("log"), std::system_error);
}

TEST_CASE("after a chroot what cannot be opened again is reported with its cause, and counted") {
  if (::geteuid() != 0) return; // nobody else may do it
  const temporary_directory dir;
  fs::create_directory(dir.file("jail"));
  for (const kind k : both_kinds) {
    CHECK(in_child([&] {
      const handler_ptr h = make(k, dir.file("log"));
      const in_two_parts text(*h);
      const int number = number_of(dir.file("log"));
      if (::chroot(dir.file("jail").c_str()) != 0) return true; // a container without the right
      text.go_on();
      if (!report_of(*h).empty()) return false; // what is open stays so
      const foreign other(reuse::file, number, "/data");
      text.go_on();
      std::string end;
      const std::string reports = report_of(*h) + report_of(*h);
      try {
        h->last_flush(test::in_time());
      } catch (const std::exception& e) {
        end = e.what();
      }
      const auto tells = [](const std::string& report, const char* what) {
        return report.find(what) != std::string::npos;
      };
      return tells(reports, "No such file") && tells(end, "1 records are lost at the end") &&
             tells(end, "No such file") && h->lost() == 1 && other.bytes() == 0 && other.is_open();
    }));
    CHECK(contents(dir.file("log")) == "record 0\nrecord 1.\n");
    fs::remove(dir.file("log"));
  }
}
