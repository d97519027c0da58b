// Rotations of which one system call fails, each in its turn.
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "handlers/rotating_file_handler.hpp"
#include "support/catch.hpp"
#include "support/failing_calls.hpp"
#include "support/rotated_text.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::contents;
using test::failing_calls;
using test::lines_are_whole;
using test::names_in;
using test::numbered_records;
using test::temporary_directory;
using test::text_of_all;

namespace {

std::shared_ptr<detail::rotating_file_handler> make(const std::string& path, rotating_file_options options) {
  auto h = std::make_shared<detail::rotating_file_handler>(path, options, failing_calls::table());
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

/// Flushes as the flusher does; returns whether it would report an error.
bool flush(handler& h) {
  try {
    h.flush();
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

/// Each record in a round of its own, a second apart; returns the number of reports.
std::size_t write_rounds(failing_calls& calls, handler& h, const numbered_records& records) {
  std::size_t reports = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    h.write(records.one(i));
    reports += flush(h) ? 1U : 0U;
    calls.now += 1s;
  }
  for (int round = 0; round < 12; ++round, calls.now += 60s) reports += flush(h) ? 1U : 0U;
  return reports;
}

} // namespace

TEST_CASE("whichever call of a rotation fails, and however often, no line is lost, torn, repeated or moved") {
  const numbered_records records(24);
  std::size_t runs = 0;
  for (const int error : {EIO, EACCES, ENOSPC, EMFILE, EINTR})
    for (const std::size_t times : {1U, 2U, 7U})
      for (std::size_t n = 1;; ++n) {
        failing_calls calls;
        const temporary_directory dir;
        std::size_t first = 0;
        const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 100}); // its end asks `error_of`, too
        first = calls.calls + n;
        calls.most_bytes = 5;
        calls.error_of = [&](std::string_view, std::size_t nth, std::string_view) {
          return nth >= first && nth < first + times ? error : 0;
        };
        (void)write_rounds(calls, *h, records);
        REQUIRE(text_of_all(dir.file("log")) == records.text());
        REQUIRE(lines_are_whole(dir.file("log")));
        REQUIRE_FALSE(h->pending());
        REQUIRE(h->lost() == 0);
        ++runs;
        if (calls.failures == 0) break; // there are fewer than n calls
        n += times == 1 ? 0 : 3;
      }
  CHECK(runs > 400);
}

TEST_CASE(
    "while one kind of call fails for good the old file takes it all, and rotation goes on afterwards") {
  const numbered_records records(24);
  for (const std::string_view name : {"rename", "lstat", "flock", "open"}) {
    failing_calls calls;
    const temporary_directory dir;
    const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 3});
    calls.error_of = [&](std::string_view called, std::size_t, std::string_view) {
      return called == name ? EIO : 0;
    };
    CHECK(write_rounds(calls, *h, records) > 0);
    CHECK(test::contents(dir.file("log")) == records.text());
    CHECK(failed_rotations(*h) == h->failed_rotations());
    CHECK(h->failed_rotations() >= 3); // after 0, 1, 3, 7, 15 seconds ...
    CHECK(h->failed_rotations() <= 8); // ... and not at each record
    calls.error_of = {};
    calls.now += 60s;
    h->write(records.one(0));
    CHECK_FALSE(flush(*h));
    CHECK(test::contents(dir.file("log.1")) == records.text());
    CHECK(test::contents(dir.file("log")) == "record 0\n");
  }
}

TEST_CASE("rotations that fail again and again push no old file out") {
  const numbered_records records(24);
  failing_calls calls;
  const temporary_directory dir;
  const auto h = make(dir.file("log"), {.max_bytes = 1, .keep = 3});
  for (std::size_t i = 0; i < 4; ++i) h->write(records.one(i));
  h->flush();
  const std::string before = text_of_all(dir.file("log"));
  // The shift succeeds each time, and what comes after it does not.
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view path) {
    return name == "rename" && path == dir.file("log") ? EIO : 0;
  };
  std::string expected = before;
  for (std::size_t i = 4; i < 20; ++i, calls.now += 60s) {
    h->write(records.one(i));
    (void)flush(*h);
    expected += "record " + std::to_string(i) + std::string(i % 7, '.') + "\n";
    REQUIRE(text_of_all(dir.file("log")) == expected);
  }
}

TEST_CASE("where only the last step fails the old file has its name back") {
  const numbered_records records(4);
  failing_calls calls;
  const temporary_directory dir;
  const auto h = make(dir.file("log"), {.max_bytes = 1, .keep = 3});
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view path) {
    return name == "rename" && path == dir.file("log.rotating") ? EIO : 0;
  };
  CHECK(write_rounds(calls, *h, records) > 0);
  CHECK(test::contents(dir.file("log")) == records.text());
  CHECK(names_in(dir.file("")) == std::vector<std::string>{"log"});
}

TEST_CASE("what a process leaves that ends between any two calls is taken up by the next one") {
  const numbered_records records(24);
  std::size_t runs = 0;
  for (std::size_t n = 1;; ++n) {
    failing_calls calls;
    const temporary_directory dir;
    std::size_t written = 0;
    std::size_t first = 0;
    {
      const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 100});
      first = calls.calls + n;
      // From the n-th call on nothing happens any more, as if the process were gone.
      calls.error_of = [&](std::string_view, std::size_t nth, std::string_view) {
        return nth >= first ? EIO : 0;
      };
      (void)write_rounds(calls, *h, records);
      written = text_of_all(dir.file("log")).size();
    }
    const bool was_cut = calls.failures > 0;
    calls.error_of = {};
    const std::string before = text_of_all(dir.file("log"));
    REQUIRE(before == records.text().substr(0, written));
    const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 100});
    (void)write_rounds(calls, *h, records);
    REQUIRE(text_of_all(dir.file("log")) == before + records.text());
    REQUIRE(h->failed_rotations() == 0);
    REQUIRE_FALSE(names_in(dir.file("")).back() == "log.rotating");
    ++runs;
    if (!was_cut) break;
  }
  CHECK(runs > 50);
}

namespace {

/// What another process does with the lock on PATH.rotating.
class other_process {
 public:
  explicit other_process(std::string path) : path_(std::move(path)) {}
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  ~other_process() {
    if (descriptor_ >= 0) (void)::close(descriptor_);
  }

  /// False where somebody else has it.
  [[nodiscard]] bool lock() {
    if (descriptor_ < 0)
      descriptor_ = ::open((path_ + ".rotating").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  }
  /// The last two steps of a rotation.
  void put_in_place() const {
    std::filesystem::rename(path_, path_ + ".1");
    std::filesystem::rename(path_ + ".rotating", path_);
  }

 private:
  const std::string path_;
  int descriptor_ = -1;
};

} // namespace

TEST_CASE("while another process rotates nothing goes to a file that it has moved aside already") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(6); // 8 to 13 bytes and a line's end each
  const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 5});
  other_process other(dir.file("log"));
  REQUIRE(other.lock());
  for (std::size_t i = 0; i < 4; ++i) { // the fourth would be for the next file, whose turn is the other's
    h->write(records.one(i));
    h->flush();
  }
  CHECK(names_in(dir.file("")) == std::vector<std::string>{"log", "log.rotating"});
  other.put_in_place();
  h->write(records.one(4)); // the pause is not over, and neither is the lock
  h->flush();
  CHECK(contents(dir.file("log")) == "record 4....\n");
  CHECK(text_of_all(dir.file("log")).size() == records.text().size() - std::string("record 5.....\n").size());
  CHECK(h->failed_rotations() == 0);
}

TEST_CASE("what a rotation made in vain goes while its lock is held") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(5);
  const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 5});
  bool has_replaced = false;
  bool was_locked = false;
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view path) {
    if (name == "flock" && !std::exchange(has_replaced, true)) { // another process was faster
      std::filesystem::rename(dir.file("log"), dir.file("log.1"));
      std::ofstream(dir.file("log")).put('\n');
    }
    if (name == "unlink" && path.ends_with(".rotating")) was_locked = !other_process(dir.file("log")).lock();
    return 0;
  };
  for (std::size_t i = 0; i < records.size(); ++i) h->write(records.one(i));
  h->flush();
  CHECK(has_replaced);
  CHECK(was_locked);
  CHECK(names_in(dir.file("")) == std::vector<std::string>{"log", "log.1"});
  CHECK(text_of_all(dir.file("log")).size() == records.text().size() + 1);
}

TEST_CASE("a file that other processes rotated away while this one could not is left at once") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(6);
  const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 1});
  calls.error_of = [](std::string_view name, std::size_t, std::string_view path) {
    return name == "open" && path.ends_with(".rotating") ? EMFILE : 0;
  };
  for (std::size_t i = 0; i < 4; ++i) h->write(records.one(i));
  CHECK(flush(*h)); // it could not rotate, and pauses
  REQUIRE(h->failed_rotations() > 0);
  std::ofstream(dir.file("fresh")).close();
  std::filesystem::rename(dir.file("fresh"), dir.file("log")); // the file it has open is no longer anywhere
  h->write(records.one(4));
  (void)flush(*h);
  CHECK(contents(dir.file("log")) == "record 4....\n");
}

TEST_CASE("what another process has put in place is written to at once, or when it can be, and nothing goes "
          "to the old file") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(6);
  bool can_open = false;
  const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 5});
  calls.error_of = [&](std::string_view name, std::size_t, std::string_view path) {
    return name == "open" && (path.ends_with(".rotating") || !can_open) ? EMFILE : 0;
  };
  for (std::size_t i = 0; i < 4; ++i) h->write(records.one(i));
  CHECK(flush(*h)); // it could not rotate, and pauses
  const std::uint64_t failed = h->failed_rotations();
  std::filesystem::rename(dir.file("log"), dir.file("log.1"));
  std::ofstream(dir.file("log")).close();
  h->write(records.one(4));
  CHECK(flush(*h)); // it could not follow either, and pauses again
  CHECK(h->failed_rotations() == failed + 1);
  h->write(records.one(5));
  CHECK_FALSE(flush(*h));
  CHECK(h->pending()); // neither file is written to: the old one may go
  CHECK(contents(dir.file("log")).empty());
  CHECK(contents(dir.file("log.1")).ends_with("record 3...\n"));
  can_open = true;
  calls.now += 1s;
  h->write(records.one(0));
  CHECK_FALSE(flush(*h));
  CHECK_FALSE(h->pending());
  CHECK(contents(dir.file("log")) == "record 4....\nrecord 5.....\nrecord 0\n");
  CHECK(h->lost() == 0);
}

TEST_CASE("a lock of rotations that is never given back is reported") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(6);
  const auto h = make(dir.file("log"), {.max_bytes = 40, .keep = 5});
  other_process other(dir.file("log"));
  REQUIRE(other.lock());
  for (std::size_t i = 0; i < 4; ++i) h->write(records.one(i));
  CHECK_FALSE(flush(*h));
  calls.now += 59s;
  h->write(records.one(4));
  CHECK_FALSE(flush(*h));
  CHECK(h->failed_rotations() == 0);
  calls.now += 1s;
  h->write(records.one(5));
  CHECK_THROWS_WITH(h->flush(), test::contains("does not go on") && test::contains("log.rotating"));
  CHECK(h->failed_rotations() == 1);
  CHECK(contents(dir.file("log")) == records.text()); // it goes on in the old file
}
