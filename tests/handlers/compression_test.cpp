// Rotated files that are compressed.
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "handlers/compress_file.hpp"
#include "handlers/rotating_file_handler.hpp"
#include "support/catch.hpp"
#include "support/failing_calls.hpp"
#include "support/in_time.hpp"
#include "support/rotated_text.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"
#include "support/thread_sanitizer.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::contains;
using test::contents;
using test::failing_calls;
using test::names_in;
using test::numbered_records;
using test::temporary_directory;

namespace {

using files = std::vector<std::string>;

#ifdef FAULTLINE_TEST_TSAN
[[maybe_unused]] constexpr bool child_may_rotate = false;
#else
[[maybe_unused]] constexpr bool child_may_rotate = true;
#endif

[[maybe_unused]] std::shared_ptr<detail::rotating_file_handler>
make(const std::string& path, rotating_file_options options, const detail::system_calls& calls) {
  options.compress = true;
  auto h = std::make_shared<detail::rotating_file_handler>(path, options, calls);
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

/// What the zstd program makes of a file; it checks the frame's checksum.
std::string uncompressed(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      ::popen(("zstd -dcq '" + path + "'").c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) text.append(buffer, n);
  return text;
}

/// Until the thread has nothing left to do, for ten seconds at most.
[[maybe_unused]] bool wait_for_compression(const detail::rotating_file_handler& h) {
  return test::within(10s, [&] { return h.is_compressed(); });
}

} // namespace

#if !FAULTLINE_TEST_ZSTD
TEST_CASE("a library without zstd refuses to compress by the option's name") {
  REQUIRE_FALSE(detail::can_compress());
  const temporary_directory dir;
  CHECK_THROWS_WITH(make_rotating_file_handler(dir.file("log"), {.compress = true}), contains("compress"));
}
#endif

TEST_CASE("the zstd program refuses what is not whole") { // the control of the tests below
  const temporary_directory dir;
  std::ofstream(dir.file("x.zst")) << "no frame";
  CHECK(uncompressed(dir.file("x.zst")).empty());
}

#if FAULTLINE_TEST_ZSTD
TEST_CASE("old files are compressed and hold what was written") {
  const temporary_directory dir;
  const numbered_records records(4);
  const auto h = make(dir.file("log"), {.max_bytes = 1, .keep = 10}, detail::real_system_calls());
  h->write(records.all());
  h->flush();
  REQUIRE(wait_for_compression(*h));
  CHECK(names_in(dir.file("")) == files{"log", "log.1.zst", "log.2.zst", "log.3.zst"});
  CHECK(uncompressed(dir.file("log.3.zst")) == "record 0\n");
  CHECK(uncompressed(dir.file("log.1.zst")) == "record 2..\n");
  CHECK(contents(dir.file("log")) == "record 3...\n");
  CHECK_NOTHROW(h->flush());
  CHECK_FALSE(h->pending());
}

TEST_CASE("rotations that go on while a file is compressed lose nothing, and the oldest go") {
  const temporary_directory dir;
  const numbered_records records(200);
  const auto h = make(dir.file("log"), {.max_bytes = 200, .keep = 300}, detail::real_system_calls());
  for (std::size_t i = 0; i < records.size(); ++i) {
    h->write(records.one(i));
    h->flush();
  }
  REQUIRE(wait_for_compression(*h));
  std::string text;
  for (int i = 300; i > 0; --i) {
    const std::string name = dir.file("log." + std::to_string(i) + ".zst");
    if (std::filesystem::exists(name)) text += uncompressed(name);
  }
  CHECK(text + contents(dir.file("log")) == records.text());

  const auto few = make(dir.file("few"), {.max_bytes = 30, .keep = 2}, detail::real_system_calls());
  few->write(records.all());
  few->flush();
  REQUIRE(wait_for_compression(*few));
  std::size_t count = 0;
  for (const std::string& name : names_in(dir.file(""))) count += name.starts_with("few") ? 1U : 0U;
  CHECK(count == 3);
}

/// Empty for nothing.
std::string report_of_flush(handler& h) {
  try {
    h.flush();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// What a flush reports, waited for; the clock goes on meanwhile.
std::string wait_for_report(failing_calls& calls, handler& h) {
  std::string report;
  (void)test::within(60s, [&] {
    calls.now += 1s;
    report = report_of_flush(h);
    return !report.empty();
  });
  return report;
}

TEST_CASE("a file that cannot be compressed stays, is reported and is taken up later") {
  const numbered_records records(3);
  for (const std::string_view failing : {"ftruncate", "fsync", "open", "rename"}) {
    INFO(failing);
    failing_calls calls;
    const temporary_directory dir;
    std::atomic<bool> fails = true;
    std::atomic<bool> is_whole = false;
    calls.error_of = [&](std::string_view name, std::size_t, std::string_view path) {
      if (name == "fsync") is_whole = true; // only the thread calls it
      const bool is_the_threads = name == "open" ? is_whole && path.ends_with(".rotating")
                                                 : name != "rename" || path.ends_with(".compressing");
      return name == failing && is_the_threads && fails ? EIO : 0;
    };
    const auto h = make(dir.file("log"), {.max_bytes = 1}, failing_calls::table());
    h->write(records.one(0));
    h->write(records.one(1));
    CHECK_THAT(wait_for_report(calls, *h), contains("log."));
    CHECK(names_in(dir.file("")) == files{"log", "log.1"});
    fails = false;
    h->write(records.one(2)); // the next rotation wakes the thread
    h->flush();
    REQUIRE(wait_for_compression(*h));
    CHECK(names_in(dir.file("")) == files{"log", "log.1.zst", "log.2.zst"});
  }
}

TEST_CASE("what another process appends to a file that is being compressed is compressed, too") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(2);
  std::atomic<bool> has_appended = false;
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view) {
    if (name == "fsync" && !has_appended.exchange(true)) // all of the file has been read
      std::ofstream(dir.file("log.1"), std::ios::app) << "late\n";
    return 0;
  };
  const auto h = make(dir.file("log"), {.max_bytes = 1}, failing_calls::table());
  h->write(records.one(0));
  h->write(records.one(1));
  h->flush();
  REQUIRE(wait_for_compression(*h));
  CHECK(has_appended);
  CHECK(names_in(dir.file("")) == files{"log", "log.1.zst"});
  CHECK(uncompressed(dir.file("log.1.zst")) == "record 0\nlate\n");
}

TEST_CASE("a file that is written to whenever it has been compressed stays plain, and is reported") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(2);
  std::atomic<bool> goes_on = true;
  std::atomic<int> times = 0;
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view) {
    if (name != "fsync") return 0;
    for (int i = 1; goes_on && i <= 100; ++i)
      if (const std::string plain = dir.file("log." + std::to_string(i)); std::filesystem::exists(plain))
        std::ofstream(plain, std::ios::app) << "late\n";
    ++times;
    return 0;
  };
  const auto h = make(dir.file("log"), {.max_bytes = 1, .keep = 100}, failing_calls::table());
  std::string report;
  // A rotation ends the thread's pause; it comes later while the thread has the lock.
  const auto has_rotated = [&] {
    calls.now += 1s;
    h->write(records.one(0));
    const std::string told = report_of_flush(*h);
    if (report.empty()) report = told;
    return contents(dir.file("log")) == "record 0\n";
  };
  h->write(records.one(0));
  int seen = -1;
  CHECK(test::within(60s, [&] {
    if (const int now = times; now > seen && has_rotated()) seen = now;
    if (report.empty()) report = report_of_flush(*h);
    return !report.empty();
  }));
  CHECK_THAT(report, contains("another process still writes to"));
  CHECK_FALSE(std::filesystem::exists(dir.file("log.1.zst")));
  goes_on = false;
  REQUIRE(test::within(60s, has_rotated));
  REQUIRE(wait_for_compression(*h));
  CHECK(std::filesystem::exists(dir.file("log.1.zst")));
  CHECK_FALSE(std::filesystem::exists(dir.file("log.1")));
}

TEST_CASE("a process that has begun to compress and does not go on is reported, one that goes on is not") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(2);
  const int other = ::open(dir.file("log.compressing").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(::flock(other, LOCK_EX) == 0);
  std::atomic<int> looks = 0;
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view) {
    if (name == "flock" && ++looks < 5) { // the first is the rotation's
      (void)!::write(other, "x", 1);
      calls.now += 1h;
    }
    return 0;
  };
  const auto h = make(dir.file("log"), {.max_bytes = 1}, failing_calls::table());
  h->write(records.one(0));
  h->write(records.one(1));
  REQUIRE(test::within(60s, [&] {
    CHECK_NOTHROW(h->flush());
    return looks >= 5;
  }));
  CHECK_THAT(wait_for_report(calls, *h), contains("does not go on") && contains("log.compressing"));
  ::close(other);
}

TEST_CASE("a child that ends without logging, and one that logs, leave the parent's thread alone") {
  const temporary_directory dir;
  const numbered_records records(4);
  std::shared_ptr<detail::rotating_file_handler> h =
      make(dir.file("log"), {.max_bytes = 1}, detail::real_system_calls());
  h->write(records.one(0));
  h->write(records.one(1));
  h->flush();
  for (const bool logs : {false, true}) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      if (logs) {
        h->after_fork();
        if (child_may_rotate) h->write(records.one(2));
        h->flush();
      }
      h.reset();
      ::_exit(0);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  REQUIRE(wait_for_compression(*h));
}

TEST_CASE(
    "while another process compresses or rotates a file waits, unreported, and is compressed after it") {
  const temporary_directory dir;
  const numbered_records records(2);
  for (const std::string taken : {"log.compressing", "log.rotating"}) {
    failing_calls calls;
    std::atomic<int> looks = 0;
    calls.error_of = [&](std::string_view name, std::size_t, std::string_view) {
      if (name == "flock") ++looks;
      return 0;
    };
    const int other = ::open(dir.file(taken).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const auto h = make(dir.file("log"), {.max_bytes = 1}, failing_calls::table());
    REQUIRE(::flock(other, LOCK_EX) == 0);
    h->write(records.one(0));
    h->write(records.one(1));
    h->flush();
    REQUIRE(test::within(60s,
                         [&] { return taken == "log.rotating" || looks >= 3; })); // the first is a rotation's
    CHECK_FALSE(std::filesystem::exists(dir.file("log.1.zst")));
    CHECK_NOTHROW(h->flush());
    ::unlink(dir.file(taken).c_str());
    ::close(other);
    REQUIRE(test::within(60s, [&] { // the rotation waits, too
      calls.now += 10ms;
      h->write(records.one(1));
      h->flush();
      return std::filesystem::exists(dir.file("log.1")) || std::filesystem::exists(dir.file("log.1.zst"));
    }));
    REQUIRE(wait_for_compression(*h));
    CHECK(std::filesystem::exists(dir.file("log.1.zst")));
    CHECK_FALSE(std::filesystem::exists(dir.file(taken)));
    for (const std::string& name : names_in(dir.file(""))) std::filesystem::remove(dir.file(name));
  }
}

namespace {

/// Another process that begins to rotate when the compressed file is whole, and has the lock until its end.
class other_rotation {
 public:
  explicit other_rotation(std::string name) : name_(std::move(name)) {}
  other_rotation(const other_rotation&) = delete;
  other_rotation& operator=(const other_rotation&) = delete;
  ~other_rotation() { end(); }

  /// To be asked for each call's error.
  int operator()(std::string_view call) {
    if (call == "flock") ++looks;
    if (call != "fsync" || descriptor_ >= 0) return 0; // only the thread calls it
    descriptor_ = ::open(name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return ::flock(descriptor_, LOCK_EX) == 0 ? 0 : EIO;
  }
  [[nodiscard]] bool has_begun() const { return descriptor_ >= 0; }
  void end() {
    if (!has_begun()) return;
    ::unlink(name_.c_str());
    ::close(descriptor_.exchange(-1));
  }
  std::atomic<int> looks = 0; ///< at locks, by whomever

 private:
  const std::string name_;
  std::atomic<int> descriptor_ = -1;
};

} // namespace

TEST_CASE("a compressed file is not put in place while another process rotates") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(2);
  other_rotation other(dir.file("log.rotating"));
  std::atomic<bool> may_begin = true;
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view) {
    return may_begin ? other(name) : 0;
  };
  const auto h = make(dir.file("log"), {.max_bytes = 1}, failing_calls::table());
  h->write(records.one(0));
  h->write(records.one(1));
  h->flush();
  REQUIRE(test::within(60s, [&] { return other.has_begun(); }));
  const int before = other.looks;
  REQUIRE(test::within(60s, [&] { return other.looks >= before + 3; })); // it has found the lock taken
  CHECK_NOTHROW(h->flush());
  CHECK(names_in(dir.file("")) == files{"log", "log.1", "log.compressing", "log.rotating"});
  may_begin = false;
  other.end();
  REQUIRE(wait_for_compression(*h));
  CHECK(names_in(dir.file("")) == files{"log", "log.1.zst"});
}

TEST_CASE("a lock of rotations that keeps a compressed file from its place for a minute is reported") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(2);
  other_rotation other(dir.file("log.rotating"));
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view) { return other(name); };
  const auto h = make(dir.file("log"), {.max_bytes = 1}, failing_calls::table());
  h->write(records.one(0));
  h->write(records.one(1));
  CHECK_THAT(wait_for_report(calls, *h), contains("does not go on") && contains("log.rotating"));
  CHECK(names_in(dir.file("")) == files{"log", "log.1", "log.rotating"}); // another one may compress
}
#endif
