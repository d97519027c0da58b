// Whatever way a process ends, what was handed over is written.
#include <algorithm>
#include <chrono>
#include <set>
#include <sstream>
#include <string>

#include "child.hpp"
#include "scale.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace faultline::stress {
namespace {

struct ending {
  int status = 0;
  std::multiset<std::string> lines;
};

ending end_by(const std::string& how) {
  const test::temporary_directory directory;
  const std::string path = directory.file("exit.log");
  ending e;
  e.status = run_program({FAULTLINE_EXIT_PROGRAM, how, path});
  std::istringstream in(test::contents(path));
  for (std::string line; std::getline(in, line);) e.lines.insert(line);
  return e;
}

std::multiset<std::string> told(std::initializer_list<std::string> failures) {
  std::multiset<std::string> lines;
  for (const std::string& f : failures) {
    lines.insert("held " + f);
    lines.insert("failed " + f);
  }
  return lines;
}

const std::multiset<std::string> of_threads =
    told({"thread 0", "thread 1", "thread 2", "thread 3", "thread 4", "thread 5", "thread 6", "thread 7"});

/// The first ending that is not as it should be, or the last.
ending end_often(const std::string& how, int status, const std::multiset<std::string>& lines) {
  ending e;
  for (std::size_t i = 0; i < scaled(50); ++i) {
    e = end_by(how);
    if (e.status != status || e.lines != lines) break;
  }
  return e;
}

} // namespace

TEST_CASE("everything handed over is written when main returns, and when exit is called anywhere") {
  for (const char* how : {"return", "exit", "exit in a thread", "exit in a scope"}) {
    INFO(how);
    const ending e = end_often(how, 0, of_threads);
    CHECK(e.status == 0);
    CHECK(e.lines == of_threads);
  }
}

TEST_CASE("everything handed over is written when the process terminates and asked for it") {
  const ending e = end_often("terminate", 128 + 6, of_threads);
  CHECK(e.status == 128 + 6);
  CHECK(e.lines == of_threads);
}

TEST_CASE("a static destructor's records are written before the stop and counted after it") {
  const auto lines = told({"main 0", "static 0"});
  const ending e = end_often("static destructor", 0, lines);
  CHECK(e.status == 0);
  CHECK(e.lines == lines);
}

TEST_CASE("a thread_local destructor's records are written") {
  const auto lines = told({"thread_local 0", "thread_local 0"});
  const ending e = end_often("thread_local destructor", 0, lines);
  CHECK(e.status == 0);
  CHECK(e.lines == lines);
}

TEST_CASE("a key destructor's records are written, before and after faultline's own") {
  const auto lines = told({"key 0", "key 1", "key 2"});
  const ending e = end_often("key destructor", 0, lines);
  CHECK(e.status == 0);
  CHECK(e.lines == lines);
}

TEST_CASE("threads that log while the process ends tear no line and cost none that came before") {
  for (std::size_t i = 0; i < scaled(50); ++i) {
    const ending e = end_by("threads that go on");
    REQUIRE(e.status == 0);
    REQUIRE(std::includes(e.lines.begin(), e.lines.end(), of_threads.begin(), of_threads.end()));
    for (const std::string& line : e.lines) {
      if (of_threads.count(line) > 0 || line.starts_with("lost: ")) continue;
      const std::string kind = line.substr(0, line.find(' '));
      const std::string rest = line.substr(line.find(' ') + 1);
      REQUIRE((kind == "held" || kind == "failed"));
      REQUIRE(rest.substr(0, 9) == "for ever ");
      REQUIRE(rest.size() == 10);
    }
  }
}

TEST_CASE("what a stop gave up waiting for is not waited for again when the process ends") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(end_by("after a stop that gave up").status == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(8)); // where the wait would be ten
}

TEST_CASE("the test would notice a missing line and a wrong status") {
  // The control: a way to end that the program does not know hands over the threads' records alone.
  const ending e = end_by("in no known way");
  CHECK(e.lines == of_threads);
  auto one_less = e.lines;
  one_less.erase(one_less.begin());
  CHECK_FALSE(std::includes(one_less.begin(), one_less.end(), of_threads.begin(), of_threads.end()));
  CHECK(run_program({"/nonexistent/program"}) == 127);
}

} // namespace faultline::stress
