// What a rotating handler leaves in its folder.
#include "handlers/rotating_file_handler.hpp"

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "support/catch.hpp"
#include "support/failing_calls.hpp"
#include "support/in_time.hpp"
#include "support/rotated_text.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::contains;
using test::contents;
using test::failing_calls;
using test::names_in;
using test::numbered_records;
using test::temporary_directory;
using test::text_of_all;

namespace {

std::shared_ptr<detail::rotating_file_handler> make(const std::string& path, rotating_file_options options,
                                                    const detail::system_calls& calls) {
  auto h = std::make_shared<detail::rotating_file_handler>(path, options, calls);
  h->set_formatter(make_text_formatter("{message}", {.envelope = false}));
  return h;
}

handler_ptr make_real(const std::string& path, rotating_file_options options) {
  return make(path, options, detail::real_system_calls());
}

using files = std::vector<std::string>;

} // namespace

TEST_CASE("a file is rotated before it grows beyond its bound") {
  const temporary_directory dir;
  const numbered_records records(30); // 9 to 16 bytes each
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 40, .keep = 100});
  h->write(records.all());
  h->flush();
  CHECK(text_of_all(dir.file("log")) == records.text());
  CHECK(names_in(dir.file("")).size() > 8);
  for (const std::string& name : names_in(dir.file(""))) CHECK(fs::file_size(dir.file(name)) <= 40);
  CHECK_FALSE(h->pending());
  CHECK(h->lost() == 0);
}

TEST_CASE("as many old files are kept as asked for, the latest of them") {
  const temporary_directory dir;
  const numbered_records records(30);
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 1, .keep = 3});
  h->write(records.all());
  h->flush();
  CHECK(names_in(dir.file("")) == files{"log", "log.1", "log.2", "log.3"});
  CHECK(contents(dir.file("log")) == "record 29.\n");
  CHECK(contents(dir.file("log.3")) == "record 26.....\n");
}

TEST_CASE("a dump is never split over two files, and one that is too large has a file to itself") {
  const temporary_directory dir;
  const numbered_records records(10);
  dump_envelope envelope;
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 50, .keep = 10});
  h->write(records.one(0));
  h->write(records.all(&envelope));
  h->write(records.one(1));
  h->flush();
  CHECK(contents(dir.file("log.2")) == "record 0\n");
  CHECK(contents(dir.file("log.1")) == records.text());
  CHECK(contents(dir.file("log")) == "record 1.\n");
}

TEST_CASE("an existing file counts, and nothing is rotated without need") {
  const temporary_directory dir;
  const numbered_records records(2);
  for (int run = 0; run < 2; ++run) {
    const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 40});
    h->write(records.all());
  }
  CHECK(names_in(dir.file("")) == files{"log"});
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 40});
  h->write(records.one(0));
  h->flush();
  CHECK(contents(dir.file("log.1")) == records.text() + records.text());
  CHECK(contents(dir.file("log")) == "record 0\n");
}

TEST_CASE("a file is rotated at the first write after a boundary of the clock") {
  failing_calls calls;
  calls.wall = std::chrono::sys_days(std::chrono::year(2038) / 5 / 1) + 23h + 59min;
  const temporary_directory dir;
  const numbered_records records(5);
  const auto h = make(dir.file("log"), {.max_bytes = 0, .interval = 24h}, failing_calls::table());
  const auto write_at = [&](std::chrono::seconds later, std::size_t i) {
    calls.wall += later;
    h->write(records.one(i));
    h->flush();
  };
  write_at(0s, 0);
  write_at(59s, 1);
  CHECK(names_in(dir.file("")) == files{"log"});
  write_at(1s, 2); // midnight
  CHECK(contents(dir.file("log.1")) == "record 0\nrecord 1.\n");
  write_at(23h, 3);
  CHECK(names_in(dir.file("")) == files{"log", "log.1"});
  write_at(72h, 4); // one rotation, however many midnights
  CHECK(names_in(dir.file("")) == files{"log", "log.1", "log.2"});
}

TEST_CASE("a file that an earlier process left in an earlier period is rotated, one of this period is not") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(2);
  std::ofstream(dir.file("log")) << "old\n";
  const auto write_one = [&](std::size_t i) {
    const auto h = make(dir.file("log"), {.max_bytes = 0, .interval = 1h}, failing_calls::table());
    h->write(records.one(i));
    h->flush();
  };
  calls.wall = std::chrono::system_clock::now() + 1h;
  write_one(0);
  CHECK(contents(dir.file("log.1")) == "old\n");
  CHECK(contents(dir.file("log")) == "record 0\n");
  calls.wall -= 1h; // the file's own time is the kernel's
  write_one(1);
  CHECK(contents(dir.file("log")) == "record 0\nrecord 1.\n");
}

TEST_CASE("a clock that is set back neither rotates nor holds up the next rotation") {
  failing_calls calls;
  calls.wall = std::chrono::sys_days(std::chrono::year(2038) / 5 / 1) + 1min;
  const temporary_directory dir;
  const numbered_records records(3);
  const auto h = make(dir.file("log"), {.max_bytes = 0, .interval = 1h}, failing_calls::table());
  for (const auto step : {0min, -120min, +60min}) {
    calls.wall += step;
    h->write(records.one(step == 0min ? 0 : step < 0min ? 1 : 2));
    h->flush();
  }
  CHECK(contents(dir.file("log.1")) == "record 0\nrecord 1.\n");
  CHECK(contents(dir.file("log")) == "record 2..\n");
}

TEST_CASE("the oldest file goes only when the new one took a write") {
  failing_calls calls;
  const temporary_directory dir;
  const numbered_records records(4);
  const auto h = make(dir.file("log"), {.max_bytes = 1, .keep = 1}, failing_calls::table());
  for (std::size_t i = 0; i < 2; ++i) h->write(records.one(i));
  h->flush();
  calls.error_of = [](std::string_view name, std::size_t, std::string_view) {
    return name == "write" ? ENOSPC : 0;
  };
  h->write(records.one(2));
  CHECK_THROWS_AS(h->flush(), std::system_error);
  CHECK_NOTHROW(h->flush());                                      // the next round
  CHECK(text_of_all(dir.file("log")) == "record 0\nrecord 1.\n"); // and an empty new file
  CHECK(contents(dir.file("log")).empty());
  calls.error_of = {};
  calls.now += 1s;
  h->flush();
  CHECK(text_of_all(dir.file("log")) == "record 1.\nrecord 2..\n");
}

TEST_CASE("a link planted under any of the names is neither followed nor written through") {
  const temporary_directory dir;
  const numbered_records records(3);
  std::ofstream(dir.file("precious")) << "precious";
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 1, .keep = 2});
  h->write(records.one(0));
  h->flush();
  fs::create_symlink(dir.file("precious"), dir.file("log.1")); // moved on like any old file
  fs::create_symlink(dir.file("precious"), dir.file("log.rotating"));
  h->write(records.one(1));
  CHECK_THROWS_WITH(h->flush(), contains("symbolic links"));
  CHECK(contents(dir.file("log")) == "record 0\nrecord 1.\n"); // written on to the old file
  CHECK(contents(dir.file("precious")) == "precious");
  CHECK(h->lost() == 0);
}

TEST_CASE("old and new files are their owner's alone") {
  const temporary_directory dir;
  const ::mode_t old = ::umask(0);
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 1});
  h->write(numbered_records(3).all());
  h->flush();
  ::umask(old);
  for (const std::string& name : names_in(dir.file("")))
    CHECK(fs::status(dir.file(name)).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("after a rotation by another program both reopen and the next rotation go on in the new file") {
  const temporary_directory dir;
  const numbered_records records(3);
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 20});
  h->write(records.one(0));
  h->flush();
  fs::rename(dir.file("log"), dir.file("aside"));
  h->reopen();
  h->write(records.one(1));
  h->flush();
  CHECK(contents(dir.file("log")) == "record 1.\n");
  fs::rename(dir.file("log"), dir.file("aside.2")); // and nobody tells the handler
  h->write(records.one(2));
  h->flush();
  CHECK(names_in(dir.file("")) == files{"aside", "aside.2", "log"});
  CHECK(contents(dir.file("log")) == "record 2..\n");
}

TEST_CASE("two handlers on one path take turns and lose nothing") {
  const temporary_directory dir;
  const numbered_records records(60);
  const handler_ptr a = make_real(dir.file("log"), {.max_bytes = 60, .keep = 100});
  const handler_ptr b = make_real(dir.file("log"), {.max_bytes = 60, .keep = 100});
  for (std::size_t i = 0; i < records.size(); ++i) {
    const handler_ptr& h = i % 3 == 0 ? a : b;
    h->write(records.one(i));
    h->flush();
  }
  std::string all = text_of_all(dir.file("log"));
  CHECK(all.size() == records.text().size());
  for (std::size_t i = 0; i < records.size(); ++i) // a line of one may be in an older file of the other
    CHECK_THAT(all, contains("record " + std::to_string(i) + std::string(i % 7, '.') + "\n"));
}

TEST_CASE(
    "a handler whose file another process moved aside goes on in the new one, before the old one goes") {
  const temporary_directory dir;
  const numbered_records records(8); // 9 to 15 bytes each
  const handler_ptr idle = make_real(dir.file("log"), {.max_bytes = 40, .keep = 1});
  const handler_ptr busy = make_real(dir.file("log"), {.max_bytes = 40, .keep = 1});
  for (std::size_t i = 0; i < 7; ++i)
    busy->write(records.one(i)); // "log" as `idle` knows it has no name any more
  busy->flush();
  idle->write(records.one(7));
  idle->flush();
  CHECK_THAT(text_of_all(dir.file("log")), contains("record 7\n"));
  CHECK(names_in(dir.file("")) == files{"log", "log.1"});
  CHECK_FALSE(idle->pending());
}

TEST_CASE("a forked child that logs rotates too") {
  const temporary_directory dir;
  const numbered_records records(4);
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 1});
  h->write(records.one(0));
  const ::pid_t child = ::fork();
  if (child == 0) {
    h->after_fork();
    for (std::size_t i = 1; i < 3; ++i) h->write(records.one(i));
    h->flush();
    ::_exit(h->pending() ? 1 : 0);
  }
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  h->flush();
  h->write(records.one(3));
  h->flush();
  std::string all = text_of_all(dir.file("log"));
  CHECK(all.size() == records.text().size());
}

TEST_CASE("wrong options of rotation are refused by name before anything is opened") {
  const temporary_directory dir;
  const auto refused = [&](rotating_file_options options, const char* name) {
    CHECK_THROWS_AS(make_rotating_file_handler(dir.file("log"), options), configuration_error);
    CHECK_THROWS_WITH(make_rotating_file_handler(dir.file("log"), options), contains(name));
  };
  refused({.max_bytes = 0}, "max_bytes");
  refused({.interval = -1s}, "interval");
  refused({.keep = 0}, "keep");
  refused({.keep = 1001}, "keep");
  refused({.mode = 010000}, "mode");
  refused({.spool_bytes = 0}, "spool_bytes");
  CHECK(names_in(dir.file("")).empty());
  CHECK_THROWS_WITH(make_rotating_file_handler("/dev/null"), contains("regular file"));
  CHECK_THROWS_WITH(failed_rotations(*make_null_handler()), contains("rotat"));
}

TEST_CASE("a batch that finds no room is refused whole, whatever its size") {
  const temporary_directory dir;
  failing_calls disk;
  const auto h = make(dir.file("log"), {.max_bytes = 20, .spool_bytes = 100}, failing_calls::table());
  disk.error_of = [](std::string_view name, std::size_t, std::string_view) {
    return name == "write" ? ENOSPC : 0;
  };
  const numbered_records records(20);
  h->write(records.one(0));
  CHECK_THROWS_WITH(h->flush(), contains("No space"));
  h->write(records.all());
  CHECK(h->lost() == 20);
  disk.error_of = nullptr;
  disk.now += 1s;
  h->flush();
  CHECK(text_of_all(dir.file("log")) == "record 0\n");
}

TEST_CASE("the rest of a line whose begin other processes' rotations removed is counted, not written") {
  const temporary_directory dir;
  failing_calls disk;
  const auto h = make(dir.file("log"), {.max_bytes = 1'000}, failing_calls::table());
  const numbered_records records(2);
  disk.most_bytes = 3;
  bool full = false;
  disk.error_of = [&](std::string_view name, std::size_t, std::string_view) {
    return name == "write" && std::exchange(full, true) ? ENOSPC : 0;
  };
  h->write(records.one(0));
  CHECK_THROWS_WITH(h->flush(), contains("No space"));
  CHECK(contents(dir.file("log")) == "rec");
  fs::remove(dir.file("log"));
  ::close(::open(dir.file("log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); // by another process
  disk.error_of = nullptr;
  disk.now += 1s;
  h->write(records.one(1));
  h->flush();
  CHECK(contents(dir.file("log")) == "record 1.\n");
  CHECK(h->lost() == 1);
  CHECK(h->dropped() == 1);
}

TEST_CASE("a file that was deleted beneath its handler is made anew in the same round") {
  const temporary_directory dir;
  const numbered_records records(2);
  const handler_ptr h = make_real(dir.file("log"), {.max_bytes = 1'000});
  h->write(records.one(0));
  h->flush();
  fs::remove(dir.file("log"));
  h->write(records.one(1));
  CHECK_NOTHROW(h->flush());
  CHECK(names_in(dir.file("")) == files{"log"});
  CHECK(contents(dir.file("log")) == "record 1.\n");
  CHECK(h->lost() == 0);
}

TEST_CASE("where a deleted file cannot be made anew the text waits, and the cause is told at the end, too") {
  const temporary_directory dir;
  failing_calls disk;
  const numbered_records records(3);
  fs::create_directory(dir.file("folder"));
  const auto h = make(dir.file("folder/log"), {.max_bytes = 1'000}, failing_calls::table());
  h->write(records.one(0));
  h->flush();
  fs::remove_all(dir.file("folder"));
  h->write(records.one(1));
  CHECK_THROWS_WITH(h->flush(), contains("No such file"));
  CHECK(h->pending());
  SECTION("it can be made after a second") {
    fs::create_directory(dir.file("folder"));
    disk.now += 1s;
    CHECK_NOTHROW(h->flush());
    CHECK(contents(dir.file("folder/log")) == "record 1.\n");
    CHECK(h->lost() == 0);
  }
  SECTION("it cannot") {
    h->write(records.one(2));
    CHECK_THROWS_WITH(h->last_flush(test::in_time()),
                      contains("2 records are lost at the end") && contains("No such file"));
    CHECK(h->lost() == 2);
  }
}

TEST_CASE("a file that was moved away, with a link in its place, takes the text until it would be rotated") {
  const temporary_directory dir;
  failing_calls disk;
  const numbered_records records(4); // 9 to 12 bytes
  std::ofstream(dir.file("precious")) << "precious";
  const auto h = make(dir.file("log"), {.max_bytes = 32}, failing_calls::table());
  h->write(records.one(0));
  h->flush();
  fs::rename(dir.file("log"), dir.file("aside"));
  fs::create_symlink(dir.file("precious"), dir.file("log"));
  h->write(records.one(1));
  CHECK_THROWS_WITH(h->flush(), contains("symbolic links are not followed"));
  h->write(records.one(2));
  CHECK_NOTHROW(h->flush()); // the next attempt, and its report, come later
  CHECK(contents(dir.file("aside")) == "record 0\nrecord 1.\nrecord 2..\n");
  CHECK_FALSE(h->pending());
  h->write(records.one(3));
  CHECK_NOTHROW(h->flush());
  CHECK(h->pending());
  SECTION("the link goes") {
    fs::remove(dir.file("log"));
    disk.now += 60s;
    CHECK_NOTHROW(h->flush());
    CHECK(contents(dir.file("log")) == "record 3...\n");
    CHECK(h->lost() == 0);
  }
  SECTION("it stays to the end") {
    CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("1 records are lost at the end") &&
                                                          contains("symbolic links are not followed"));
    CHECK(h->lost() == 1);
  }
  CHECK(contents(dir.file("precious")) == "precious");
}
