// What `start` takes over from a default runtime that has begun: what was on its way, the calling thread, the
// settings. Each test is a child process with a default runtime of its own.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <faultline/configuration.hpp>
#include <faultline/faultline.hpp>

#include "runtime/start.hpp"
#include "support/catch.hpp"
#include "support/gated_handler.hpp"
#include "support/manual_runtime.hpp"
#include "support/temporary_directory.hpp"
#include "support/thread_sanitizer.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using faultline::test::alone;
using faultline::test::closes;
using faultline::test::expect;
using faultline::test::has;
using faultline::test::refusal;
using faultline::test::stderr_in_file;
using faultline::test::strings;

namespace {

/// Asks until it holds, for some seconds at most.
template <class Question> bool holds_in_time(Question question) {
  for (const auto begin = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() - begin < 20s;)
    if (question()) return true;
  return false;
}

std::ptrdiff_t lines_with(const memory_handler& target, std::string_view begin) {
  const strings all = target.messages();
  return std::count_if(all.begin(), all.end(), [&](const std::string& m) { return m.starts_with(begin); });
}

} // namespace

TEST_CASE("what a handler had that is the new target is not told again by a scope of before start") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          target->set_level(level::info);
          logger lg = get_logger("options");
          {
            const error_scope scope(lg);
            start({.default_target = target});
            lg.add_handler(target);
            FAULTLINE_DEBUG(lg, "held");
            FAULTLINE_INFO(lg, "passed");
            FAULTLINE_ERROR(lg, "failed");
          }
          EXPECT(flush());
          EXPECT(target->messages() == strings{"passed", "held", "failed"});
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("nor what two scopes of before start pass through") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          {
            const error_scope outer(lg, {.after_trip = trip_policy::pass_through});
            const error_scope inner(lg, {.target = target, .after_trip = trip_policy::pass_through});
            FAULTLINE_ERROR(lg, "failed");
            EXPECT(flush());
            start({.default_target = target});
            FAULTLINE_DEBUG(lg, "passed on");
          }
          EXPECT(flush());
          EXPECT(target->messages() == strings{"failed", "passed on"});
          EXPECT(has(elsewhere.text(), "failed"));
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("a storm of before start is told of at the target that start names, once") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          for (int i = 0; stats().contexts_suppressed == 0 && i < 100'000; ++i) {
            const error_scope outer(lg);
            const error_scope inner(lg, {.target = target});
            FAULTLINE_ERROR(lg, "failed");
            if (i % 50 == 0) EXPECT(flush());
          }
          EXPECT(stats().contexts_suppressed > 0);
          start({.default_target = target});
          EXPECT(stop());
          EXPECT(lines_with(*target, "storm: ") == 1);
          EXPECT(!has(elsewhere.text(), "storm: "));
        }) == 0);
}

TEST_CASE("what was lost on the way to standard error is told of at the target that start names") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const auto gate = std::make_shared<test::gated_handler>();
          get_logger("gate").add_handler(gate);
          FAULTLINE_INFO(get_logger("gate"), "hangs");
          gate->wait_for_one_that_hangs();
          const logger lg = get_logger("options");
          {
            const error_scope scope(lg, {.after_trip = trip_policy::pass_through});
            FAULTLINE_ERROR(lg, "failed");
            for (int i = 0; stats().outbox_full == 0 && i < 1'000'000; ++i)
              FAULTLINE_DEBUG(lg, "passed on {}", i);
          }
          start({.default_target = target});
          gate->open();
          EXPECT(flush());
          EXPECT(lines_with(*target, "lost: ") == 1);
          EXPECT(!has(elsewhere.text(), "lost: "));
        }) == 0);
}

TEST_CASE("the calling thread gets the new sizes though it logs by another runtime as well") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          logger lg = get_logger("sizes");
          lg.add_handler(target);
          const std::string text(100, 'x');
          FAULTLINE_INFO(lg, "{}", text);
          const auto of_other = make_memory_handler();
          runtime other({.default_target = of_other});
          logger others = other.get_logger("other");
          others.add_handler(of_other);
          FAULTLINE_INFO(others, "{}", text);
          EXPECT(flush());
          EXPECT(other.flush());
          start({.argument_bytes = 16});
          FAULTLINE_INFO(lg, "{}", text);
          EXPECT(flush());
          FAULTLINE_INFO(others, "{}", text);
          EXPECT(other.flush());
          EXPECT(of_other->messages() == strings{text, text});
          const strings messages = target->messages();
          EXPECT(messages.size() == 2);
          EXPECT(messages.at(1).size() < 50);
          EXPECT(stats().threads == 1);
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("a handler that calls start, in another runtime's round, makes no records behind that either") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          logger lg = get_logger("options");
          lg.add_handler(target);
          FAULTLINE_INFO(lg, "before");
          runtime by_hand({.flusher = flusher_mode::manual});
          logger calls = by_hand.get_logger("calls");
          calls.add_handler(make_callback_handler([&](const batch&) {
            start({.argument_bytes = 100});
            FAULTLINE_INFO(lg, "in a round");
          }));
          FAULTLINE_INFO(calls, "start");
          (void)by_hand.run_once();
          FAULTLINE_INFO(lg, "behind it");
          EXPECT(flush());
          EXPECT(target->messages() == strings{"before", "behind it"});
          EXPECT(stats().threads == 1);
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("a start that changes no sizes leaves the calling thread the memory that it has") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          FAULTLINE_DEBUG(get_logger("options"), "attached");
          const std::uint64_t before = stats().thread_memory_bytes;
          start({.default_target = make_null_handler(), .busy_interval = 2ms});
          FAULTLINE_DEBUG(get_logger("options"), "still attached");
          EXPECT(stats().threads == 1);
          EXPECT(stats().thread_memory_bytes == before);
        }) == 0);
}

TEST_CASE("a flusher that runs is told to rest no more") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          FAULTLINE_DEBUG(get_logger("options"), "begun");
          start({.flusher = flusher_mode::spinning});
          EXPECT(flush());
          const auto begin = std::chrono::steady_clock::now();
          const std::uint64_t before = stats().rounds;
          EXPECT(holds_in_time([&] { return stats().rounds - before > 2000; }));
          EXPECT(std::chrono::steady_clock::now() - begin < 2s); // rests are of a millisecond at least
        }) == 0);
}

TEST_CASE("the target that start names gets the lines of stats that it asks for") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          FAULTLINE_DEBUG(get_logger("options"), "begun");
          start({.default_target = target, .stats_interval = 5ms});
          EXPECT(holds_in_time([&] { return lines_with(*target, "logged=1") >= 2; }));
          EXPECT(elsewhere.text().empty());
        }) == 0);
}

TEST_CASE("a program that terminates is drained if a late start says so") {
  const test::temporary_directory directory;
  const std::string path = directory.file("app.log");
  CHECK(alone([&] {
          (void)std::signal(SIGABRT, SIG_DFL); // not Catch's
          logger lg = get_logger("options");
          lg.add_handler(make_file_handler(path));
          FAULTLINE_INFO(lg, "begun");
          start({.busy_interval = 1min, .idle_interval = 1min, .drain_on_terminate = true});
          EXPECT(flush());
          FAULTLINE_INFO(lg, "terminates");
          std::terminate();
        }) == 128 + SIGABRT);
  CHECK(has(test::contents(path), "terminates"));
}

TEST_CASE("a start that is refused opens no file") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const test::temporary_directory directory;
          start({.default_target = make_null_handler()});
          configuration settings;
          settings.set("target", "file:" + directory.file("app.log"));
          std::string refused;
          try {
            start(settings);
          } catch (const configuration_error& e) {
            refused = e.what();
          }
          EXPECT(has(refused, "call start once"));
          EXPECT(::access(directory.file("app.log").c_str(), F_OK) != 0);
        }) == 0);
}

TEST_CASE("a file that has got standard error's number before start is none for reports") {
  CHECK(alone([] {
          struct throwing : handler {
            void write(const batch&) override { throw std::runtime_error("full"); }
          };
          const stderr_in_file elsewhere;
          const test::temporary_directory directory;
          logger lg = get_logger("options");
          FAULTLINE_DEBUG(lg, "begun");
          EXPECT(flush());
          const int console = ::dup(STDERR_FILENO);
          ::close(STDERR_FILENO);
          EXPECT(::open(directory.file("data").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) ==
                 STDERR_FILENO);
          start({.default_target = make_null_handler()});
          lg.add_handler(std::make_shared<throwing>());
          FAULTLINE_INFO(lg, "nowhere");
          EXPECT(flush());
          EXPECT(stats().handler_errors == 1);
          ::dup2(console, STDERR_FILENO);
          EXPECT(test::contents(directory.file("data")).empty());
        }) == 0);
}

#ifndef FAULTLINE_TEST_TSAN // which lets no child of a program with threads start one of its own
TEST_CASE("in a forked child, too, an error names what began the runtime first") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          default_runtime().attach_thread("main");
          EXPECT(alone([] {
                   FAULTLINE_DEBUG(get_logger("options"), "the child's");
                   EXPECT(refusal({.flusher = flusher_mode::manual})
                              .ends_with("the runtime began with attach_thread"));
                 }) == 0);
        }) == 0);
}
#endif
