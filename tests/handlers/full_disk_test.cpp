// A disk that is full: a real one, of 64 KiB, with a runtime whose flusher has a thread and a clock of its
// own. What fails at which byte and call is shown by write_faults_test and rotation_faults_test.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <faultline/faultline.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/rotated_text.hpp"
#include "support/tiny_disk.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::names_in;
using test::text_of_all;
using test::tiny_disk;

namespace {

std::string line_of(std::uint64_t number) { return fmt::format("record {:06} of the test\n", number); }

/// How many lines there are, if each is whole and later than the one before it; -1 if not.
std::int64_t whole_lines(std::string_view text) {
  std::int64_t lines = 0;
  std::uint64_t next = 0;
  const std::size_t size = line_of(0).size();
  for (; !text.empty(); text.remove_prefix(size), ++lines) {
    if (text.size() < size) return -1;
    while (next < 1'000'000 && text.substr(0, size) != line_of(next)) ++next;
    if (next++ == 1'000'000) return -1;
  }
  return lines;
}

/// A runtime that passes numbered records to one handler.
class writer {
 public:
  explicit writer(const handler_ptr& h)
      : rt_({.default_target = h, .on_error = [this](const error_report&) { ++reports; }}),
        lg_(rt_.get_logger("disk")) {
    h->set_formatter(make_text_formatter("{message}"));
    lg_.add_handler(h);
  }
  void write(int records) {
    for (int i = 0; i < records; ++i) FAULTLINE_INFO(lg_, "record {:06} of the test", count++);
    (void)rt_.flush(2ms); // while the disk is full it has to be given up
  }
  void write_until_lost(std::uint64_t records) {
    while (rt_.stats().handler_lost < records) write(10);
  }
  [[nodiscard]] bool flush() { return rt_.flush(1s); }
  /// Records that were counted as lost, wherever.
  [[nodiscard]] std::uint64_t lost() const {
    const runtime_stats s = rt_.stats();
    return s.handler_lost + s.lost + s.flusher_lost;
  }

  std::uint64_t count = 0;
  std::atomic<int> reports{0};

 private:
  runtime rt_;
  logger lg_;
};

/// Fills the disk, lets records be lost, gives room, and looks at what was written at each time. `all` reads
/// what the handler has written to however many files.
template <class All> void fill_and_free(const tiny_disk& disk, writer& w, All&& read) {
  const auto all = [&read] { // without the line that tells of what was lost
    std::string text = read();
    for (std::size_t at = text.find("lost: "); at != std::string::npos; at = text.find("lost: ", at))
      text.erase(at, text.find('\n', at) + 1 - at);
    return text;
  };
  w.write(100);
  REQUIRE(w.flush());
  REQUIRE(whole_lines(all()) == 100);
  disk.fill_up_to(12U << 10);
  w.write_until_lost(100);
  CHECK(disk.free_bytes() == 0);
  CHECK(w.reports >= 1);
  const std::string full = all();
  std::string expected;
  for (std::uint64_t n = 0; expected.size() < full.size(); ++n) expected += line_of(n);
  CHECK(expected.starts_with(full)); // to the byte where the room ended, and nothing was taken away
  w.write(10);
  CHECK(all() == full); // it is full

  disk.give_room();
  CHECK(test::within(1000ms, [&] { return all().size() > full.size(); }));
  REQUIRE(w.flush());
  const std::uint64_t lost = w.lost();
  w.write(20);
  REQUIRE(w.flush());
  CHECK(w.lost() == lost);
  const std::string text = all();
  CHECK(text.starts_with(full));
  CHECK(text.ends_with(line_of(w.count - 1)));
  CHECK(whole_lines(text) == static_cast<std::int64_t>(w.count - lost));
}

} // namespace

TEST_CASE("the check of lines on a full disk rejects torn, repeated and moved ones") {
  CHECK(whole_lines(line_of(0) + line_of(1) + line_of(7)) == 3);
  CHECK(whole_lines(line_of(0) + "record 0000" + line_of(1)) == -1);
  CHECK(whole_lines(line_of(0) + line_of(0)) == -1);
  CHECK(whole_lines(line_of(1) + line_of(0)) == -1);
  CHECK(whole_lines(line_of(0) + "record") == -1);
}

TEST_CASE("a file on a disk that fills goes on within a second of room, whole, and says what it lost") {
  const tiny_disk disk;
  writer w(make_file_handler(disk.file("log"), {.spool_bytes = 8U << 10}));
  fill_and_free(disk, w, [&] { return test::contents(disk.file("log")); });
}

TEST_CASE(
    "a rotating file on a disk that fills keeps its old files, and goes on rotating when there is room") {
  const tiny_disk disk;
  const handler_ptr h =
      make_rotating_file_handler(disk.file("log"), {.max_bytes = 2000, .keep = 100, .spool_bytes = 8U << 10});
  writer w(h);
  fill_and_free(disk, w, [&] { return text_of_all(disk.file("log")); });
  CHECK(test::lines_are_whole(disk.file("log")));
  for (const std::string& name : names_in(disk.folder())) {
    const std::size_t size = test::contents(disk.file(name)).size();
    CHECK(name != "log.rotating");
    CHECK(size > 0); // no empty file is left behind
    CHECK(size <= 2000);
  }
}
