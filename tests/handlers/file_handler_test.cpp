#include "handlers/file_handler.hpp"

#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "support/catch.hpp"
#include "support/fake_disk.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
namespace fs = std::filesystem;
using test::contains;
using test::contents;
using test::fake_disk;
using test::numbered_records;
using test::temporary_directory;

namespace {

handler_ptr make_plain(const std::string& path, file_options options = {}) {
  handler_ptr h = make_file_handler(path, options);
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

/// The error of opening `path`; fails the test if there is none or if it does not name the path.
std::error_code refusal(const std::string& path) {
  try {
    const handler_ptr h = make_file_handler(path);
  } catch (const std::system_error& e) {
    CHECK_THAT(e.what(), contains(path));
    return e.code();
  }
  FAIL("not refused: " << path);
  return {};
}

unsigned mode_of(const std::string& path) {
  return static_cast<unsigned>(fs::status(path).permissions()) & 07777U;
}

} // namespace

TEST_CASE("a file handler writes what it is given at flush") {
  const temporary_directory dir;
  const numbered_records records(3);
  const handler_ptr h = make_plain(dir.file("log"));
  h->write(records.all());
  CHECK(h->pending());
  CHECK(contents(dir.file("log")).empty());
  h->flush();
  CHECK_FALSE(h->pending());
  CHECK(contents(dir.file("log")) == records.text());
}

TEST_CASE("a file is appended to unless it is to be emptied") {
  const temporary_directory dir;
  const numbered_records records(2);
  for (const bool append : {true, true, false}) {
    const handler_ptr h = make_plain(dir.file("log"), {.append = append});
    h->write(records.all());
  } // destruction writes
  CHECK(contents(dir.file("log")) == records.text());
  {
    const handler_ptr h = make_plain(dir.file("log"));
    h->write(records.all());
  }
  CHECK(contents(dir.file("log")) == records.text() + records.text());
}

TEST_CASE("a file is made for its owner alone, or with the mode asked for") {
  const temporary_directory dir;
  const ::mode_t old = ::umask(0);
  (void)make_file_handler(dir.file("default"));
  (void)make_file_handler(dir.file("group"), {.mode = 0640});
  ::umask(old);
  CHECK(mode_of(dir.file("default")) == 0600);
  CHECK(mode_of(dir.file("group")) == 0640);
}

TEST_CASE("the descriptor is not inherited by programs that are started") {
  const temporary_directory dir;
  const int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(before); // the lowest free number, which the file will get
  const handler_ptr h = make_file_handler(dir.file("log"));
  CHECK((::fcntl(before, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(before, F_GETFL) & O_APPEND) != 0);
}

TEST_CASE("a wrong option is refused by its name") {
  const temporary_directory dir;
  CHECK_THROWS_WITH(make_file_handler(""), contains("path"));
  CHECK_THROWS_AS(make_file_handler(std::string_view("a\0b", 3)), configuration_error);
  CHECK_THROWS_WITH(make_file_handler(dir.file("log"), {.mode = 010000}),
                    contains("mode") && contains("010000"));
  CHECK_THROWS_WITH(make_file_handler(dir.file("log"), {.spool_bytes = 0}), contains("spool_bytes"));
  CHECK_FALSE(fs::exists(dir.file("log")));
}

TEST_CASE("a missing folder is an error that names the path") {
  const temporary_directory dir;
  CHECK(refusal(dir.file("none/log")) == std::errc::no_such_file_or_directory);
}

TEST_CASE("a symbolic link is refused, and its target left alone") {
  const temporary_directory dir;
  fs::create_symlink(dir.file("target"), dir.file("dangling"));
  CHECK(refusal(dir.file("dangling")) == std::errc::too_many_symbolic_link_levels);
  CHECK_FALSE(fs::exists(dir.file("target")));
  std::ofstream(dir.file("target")) << "precious";
  CHECK_THROWS_AS(make_file_handler(dir.file("dangling"), {.append = false}), std::system_error);
  CHECK(contents(dir.file("target")) == "precious");
}

TEST_CASE("a hard link is refused before anything is emptied") {
  const temporary_directory dir;
  std::ofstream(dir.file("precious")) << "precious";
  fs::create_hard_link(dir.file("precious"), dir.file("log"));
  CHECK(refusal(dir.file("log")) == std::errc::too_many_links);
  CHECK_THROWS_AS(make_file_handler(dir.file("log"), {.append = false}), std::system_error);
  CHECK(contents(dir.file("precious")) == "precious");
}

TEST_CASE("what is refused is a trap: a plain open through either link empties what it leads to") {
  const temporary_directory dir;
  std::ofstream(dir.file("precious")) << "precious";
  const bool hard = GENERATE(false, true);
  if (hard)
    fs::create_hard_link(dir.file("precious"), dir.file("log"));
  else
    fs::create_symlink(dir.file("precious"), dir.file("log"));
  std::ofstream(dir.file("log")) << "text";
  CHECK(contents(dir.file("precious")) == "text");
}

TEST_CASE("a FIFO is refused at once, with a reader and without one") {
  const temporary_directory dir;
  REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
  (void)refusal(dir.file("fifo"));
  const int reader = ::open(dir.file("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  CHECK(refusal(dir.file("fifo")) == std::errc::invalid_argument);
  ::close(reader);
}

TEST_CASE("a directory is refused") {
  const temporary_directory dir;
  fs::create_directory(dir.file("folder"));
  CHECK(refusal(dir.file("folder")) == std::errc::is_a_directory);
}

TEST_CASE("another user's file is refused, for root as for others") {
  fake_disk disk;
  disk.facts.st_uid = ::geteuid() + 1;
  CHECK_THROWS_WITH(detail::open_log_file("/log", 0600, true, fake_disk::calls()), contains("another user"));
  CHECK(disk.closes == 1);
  disk.facts = fake_disk::regular_file();
  CHECK_NOTHROW(detail::open_log_file("/log", 0600, true, fake_disk::calls()));
  CHECK(disk.closes == 1);
}

TEST_CASE("a block device is refused") {
  fake_disk disk;
  disk.facts.st_mode = S_IFBLK | 0600;
  CHECK_THROWS_AS(detail::open_log_file("/log", 0600, false, fake_disk::calls()), std::system_error);
}

TEST_CASE("/dev/null takes everything") {
  const handler_ptr h = make_plain("/dev/null", {.append = false});
  h->write(numbered_records(3).all());
  CHECK_NOTHROW(h->flush());
  CHECK_FALSE(h->pending());
}

TEST_CASE("/dev/full is reported once and costs nothing but its own records") {
  const numbered_records records(3);
  const handler_ptr h = make_plain("/dev/full", {.spool_bytes = 1});
  h->write(records.one(0));
  try {
    h->flush();
    FAIL("not reported");
  } catch (const std::system_error& e) {
    CHECK(e.code() == std::errc::no_space_on_device);
    CHECK_THAT(e.what(), contains("/dev/full"));
  }
  CHECK_NOTHROW(h->flush());
  CHECK(h->pending());
  h->write(records.one(1));
  h->write(records.one(2));
  CHECK(h->lost() == 2);
}

TEST_CASE("after a rotation by another program reopen goes on in a new file") {
  const temporary_directory dir;
  const numbered_records records(2);
  const handler_ptr h = make_plain(dir.file("log"), {.append = false});
  h->write(records.one(0));
  h->flush();
  fs::rename(dir.file("log"), dir.file("log.1"));
  h->reopen();
  h->write(records.one(1));
  h->flush();
  CHECK(contents(dir.file("log.1")) == "record 0\n");
  CHECK(contents(dir.file("log")) == "record 1.\n");
  h->reopen(); // without a rotation: nothing is emptied
  CHECK(contents(dir.file("log")) == "record 1.\n");
}

TEST_CASE("reopening through a link that was planted since is refused") {
  const temporary_directory dir;
  const numbered_records records(2);
  const handler_ptr h = make_plain(dir.file("log"));
  fs::rename(dir.file("log"), dir.file("log.1"));
  fs::create_symlink(dir.file("elsewhere"), dir.file("log"));
  CHECK_THROWS_AS(h->reopen(), std::system_error);
  h->write(records.all());
  h->flush();
  CHECK(contents(dir.file("log.1")) == records.text());
}

TEST_CASE("a child that ends without logging leaves the parent's text to the parent") {
  const temporary_directory dir;
  const numbered_records records(2);
  handler_ptr h = make_plain(dir.file("log"));
  h->write(records.all());
  const ::pid_t child = ::fork();
  if (child == 0) {
    h.reset();
    ::_exit(0);
  }
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(contents(dir.file("log")).empty());
  h.reset();
  CHECK(contents(dir.file("log")) == records.text());
}

TEST_CASE("a limit of file sizes does not end a program that runs the rounds: it is reported and counted") {
  const temporary_directory dir;
  std::vector<std::string> reports;
  ::rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &usual) == 0);
  const ::rlimit small{100, usual.rlim_max};
  {
    test::manual_runtime rt({.on_error = [&](const error_report& r) { reports.emplace_back(r.detail); }});
    handler_ptr other = make_plain(dir.file("other"));
    rt.get().add_handler(make_plain(dir.file("log")));
    FAULTLINE_INFO(rt.get(), "{}", std::string(150, 'x'));
    other->write(numbered_records(20).all());
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    rt.get_runtime().run_once();
    const bool is_whole = rt.get_runtime().stop();
    other.reset(); // a destructor writes, too
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &usual) == 0);
    CHECK_FALSE(is_whole);
    CHECK(rt.stats().handler_lost == 1);
  }
  REQUIRE_FALSE(reports.empty());
  CHECK_THAT(reports.front(), contains("File too large"));
  CHECK(contents(dir.file("log")).size() == 100);
  CHECK(contents(dir.file("other")).size() == 100);
  ::sigset_t pending;
  REQUIRE(::sigpending(&pending) == 0);
  CHECK(::sigismember(&pending, SIGXFSZ) == 0);
}
