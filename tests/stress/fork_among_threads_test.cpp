// Forks of a process whose other threads log or change things. The allocators of sanitizers are not made for
// it: a child may find one locked for ever.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <faultline/faultline.hpp>
#include <faultline/ostream.hpp>

#include "child.hpp"
#include "forked.hpp"
#include "ledgers.hpp"
#include "scale.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;

/// Threads that hold, trip and pass until it is destroyed.
class busy_threads {
 public:
  busy_threads(runtime& r, const logger& lg, const std::string& mark) : runtime_(r) {
    for (int t = 0; t < 3; ++t)
      threads_.emplace_back([this, lg, t, mark] {
        for (std::uint64_t n = 0; !over_.load(); ++n) {
          const error_scope scope(lg);
          FAULTLINE_DEBUG(lg, "{} {} held {}", mark, t, n);
          FAULTLINE_ERROR(lg, "{} {} failed {}", mark, t, n);
          statements_ += 2;
          if (n % 16 == 0) runtime_.flush();
        }
      });
    while (r.stats().written < 10) std::this_thread::yield();
  }
  ~busy_threads() { end(); }
  void end() {
    over_ = true;
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }
  [[nodiscard]] std::uint64_t statements() const { return statements_; }

 private:
  runtime& runtime_;
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> statements_{0};
  std::vector<std::thread> threads_;
};

std::multiset<std::string> lines_of(const std::string& path) {
  std::istringstream in(test::contents(path));
  std::multiset<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

bool no_line_twice(const std::multiset<std::string>& lines) {
  return std::adjacent_find(lines.begin(), lines.end()) == lines.end();
}

} // namespace

TEST_CASE("children write to a stream that the parent's threads were writing to") {
  const auto target = make_memory_handler();
  runtime r({.default_target = make_null_handler(), .flusher = flusher_mode::manual});
  logger lg = r.get_logger("forks");
  log_ostream out(lg, level::info);
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t)
    writers.emplace_back([&] {
      const std::string text(4000, 'x'); // one of them is nearly always within the lock
      while (!over.load()) out.rdbuf()->sputn(text.data(), static_cast<std::streamsize>(text.size()));
    });
  const std::size_t forks = scaled(200);
  std::size_t good = 0;
  for (std::size_t i = 0; i < forks && good == i; ++i)
    good += in_child([&] {
              lg.add_handler(target);
              out.rdbuf()->sputn("child\n", 6);
              return r.flush(30s) && target->messages() == std::vector<std::string>{"child"} ? 0 : 1;
            }) == 0;
  CHECK(good == forks);
  over = true;
  for (std::thread& t : writers) t.join();
}

TEST_CASE("children of a process whose threads log, log to a target of their own") {
  const auto target = make_null_handler();
  runtime r({.default_target = target, .storm_dumps_per_second = 0});
  const logger lg = r.get_logger("forks");
  busy_threads busy(r, lg, "parent");
  const std::size_t forks = scaled(100);
  for (std::size_t i = 0; i < forks; ++i) REQUIRE(in_child([&] { return log_in_child(r, lg); }) == 0);
  busy.end();
  REQUIRE(r.flush());
  check_ledgers(r.stats(), busy.statements());
}

TEST_CASE("children write to the file that the parent is writing to, and no line comes twice") {
  const test::temporary_directory directory;
  const std::string path = directory.file("shared.log");
  std::size_t forks = scaled(100);
  {
    const auto target = make_file_handler(path);
    target->set_formatter(make_text_formatter("{process} {message}", {.envelope = false}));
    runtime r({.default_target = target, .storm_dumps_per_second = 0});
    const logger lg = r.get_logger("forks");
    busy_threads busy(r, lg, "parent");
    for (std::size_t i = 0; i < forks; ++i) {
      const int status = in_child([&] {
        {
          const error_scope scope(lg);
          FAULTLINE_DEBUG(lg, "child {} held", i);
          FAULTLINE_ERROR(lg, "child {} failed", i);
        }
        return r.stop(30s) ? 0 : 1;
      });
      REQUIRE(status == 0);
    }
    busy.end();
    REQUIRE(r.stop(30s));
  }
  const auto lines = lines_of(path);
  CHECK(no_line_twice(lines));
  std::size_t of_children = 0;
  for (const std::string& line : lines) of_children += line.find("child") != std::string::npos ? 1 : 0;
  CHECK(of_children == 2 * forks);
}

namespace {

/// Forks while another thread does one thing over and over, told how many forks there were; the children log
/// to the inherited target too. Returns the status of the first child that failed: 142 is SIGALRM's, of one
/// that hung.
template <class Change> int fork_during(runtime& r, const logger& lg, Change change) {
  FAULTLINE_DEBUG(lg, "the parent has begun");
  std::atomic<bool> over{false};
  std::atomic<std::size_t> forks{0};
  std::thread changing([&] {
    while (!over) change(forks.load());
  });
  int status = 0;
  for (std::size_t i = 0; i < scaled(200) && status == 0; ++i) {
    ++forks;
    status = in_child([&] {
      ::alarm(10);
      {
        const error_scope scope(lg);
        FAULTLINE_ERROR(lg, "child {} failed", i);
      }
      return log_in_child(r, lg);
    });
  }
  over = true;
  changing.join();
  return status;
}

} // namespace

TEST_CASE("children log while a thread of the parent replaces a formatter") {
  const auto target = make_memory_handler();
  const auto layout = make_text_formatter("{message}");
  runtime r({.default_target = target});
  CHECK(fork_during(r, r.get_logger("forks"), [&](std::size_t) { target->set_formatter(layout); }) == 0);
}

TEST_CASE("children log while a thread of the parent reads counts") {
  runtime r({.default_target = make_memory_handler()});
  CHECK(fork_during(r, r.get_logger("forks"), [&](std::size_t) { (void)r.stats(); }) == 0);
}

TEST_CASE("children log while a thread of the parent changes a handler's level") {
  const auto target = make_memory_handler();
  runtime r({.default_target = target});
  CHECK(fork_during(r, r.get_logger("forks"), [&](std::size_t) { target->set_level(level::info); }) == 0);
}

TEST_CASE("children log while a thread of the parent makes the first use of targets") {
  runtime r({.default_target = make_memory_handler()});
  const logger lg = r.get_logger("forks");
  constexpr std::size_t for_each_fork = 20; // the runtime keeps every target it ever saw
  CHECK(fork_during(r, lg, [&, made = std::size_t{0}](std::size_t forks) mutable {
          if (made >= forks * for_each_fork) return std::this_thread::yield();
          const error_scope scope(lg, {.target = make_null_handler()});
          ++made;
        }) == 0);
}

TEST_CASE("a line that a forked child repeats would be noticed, and so would a child that hangs") {
  // The control: stdio's buffer, which a child inherits with what it holds.
  const test::temporary_directory directory;
  const std::string path = directory.file("stdio.log");
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  std::fputs("1 written once\n", file);
  CHECK(in_child([&] { return std::fflush(file); }) == 0);
  std::fclose(file);
  CHECK_FALSE(no_line_twice(lines_of(path)));
  CHECK(in_child([]() -> int {
          ::alarm(1);
          for (;;) ::pause();
        }) == 128 + SIGALRM);
}

} // namespace faultline::stress
