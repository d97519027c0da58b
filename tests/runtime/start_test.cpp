// `start` on a default runtime that has begun. Each test is a child process with a default runtime of its
// own.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include <faultline/configuration.hpp>
#include <faultline/configuration_error.hpp>
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

TEST_CASE("a program that logs before it calls start goes on with what start says") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          FAULTLINE_DEBUG(lg, "reading {}", "app.conf");
          start({.default_target = target});
          {
            const error_scope scope(lg);
            FAULTLINE_DEBUG(lg, "context");
            FAULTLINE_ERROR(lg, "no such option");
          }
          EXPECT(flush());
          EXPECT(target->messages() == strings{"context", "no such option"});
          EXPECT(elsewhere.text().empty());
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("what a scope held before start goes to the target that start names") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          {
            const error_scope scope(lg);
            FAULTLINE_DEBUG(lg, "held before");
            start({.default_target = target, .argument_bytes = 100}); // a scope is open: this thread's stays
            FAULTLINE_ERROR(lg, "failed {}", std::string(200, 'x').size());
          }
          EXPECT(flush());
          EXPECT(target->messages() == strings{"held before", "failed 200"});
          EXPECT(elsewhere.text().empty());
        }) == 0);
}

TEST_CASE("a dump on its way when start is called goes to the target that start names") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const auto gate = std::make_shared<test::gated_handler>();
          get_logger("gate").add_handler(gate);
          FAULTLINE_INFO(get_logger("gate"), "hangs");
          gate->wait_for_one_that_hangs();
          const logger lg = get_logger("options");
          {
            error_scope scope(lg, {.after_trip = trip_policy::pass_through});
            FAULTLINE_DEBUG(lg, "context");
            FAULTLINE_ERROR(lg, "failed");
            FAULTLINE_DEBUG(lg, "passed on"); // an entry of its own, for the scope's target
          }
          start({.default_target = target});
          gate->open();
          EXPECT(flush());
          EXPECT(target->messages() == strings{"context", "failed", "passed on"});
          EXPECT(elsewhere.text().empty());
        }) == 0);
}

TEST_CASE("what a thread logged before a start with other sizes is written before what it logs then") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto gate = std::make_shared<test::gated_handler>();
          get_logger("gate").add_handler(gate);
          FAULTLINE_INFO(get_logger("gate"), "hangs");
          gate->wait_for_one_that_hangs();
          const auto target = make_memory_handler();
          logger lg = get_logger("options");
          lg.add_handler(target);
          FAULTLINE_INFO(lg, "first");
          start({.default_target = target, .argument_bytes = 100});
          FAULTLINE_INFO(lg, "second");
          gate->open();
          EXPECT(flush());
          EXPECT(target->messages() == strings{"first", "second"});
        }) == 0);
}

TEST_CASE("no record is at the new target twice though one scope was entered before start, the other after") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          {
            const error_scope before(lg);
            FAULTLINE_DEBUG(lg, "first");
            start({.default_target = target});
            {
              error_scope after(lg);
              FAULTLINE_DEBUG(lg, "second");
              after.trip("asked");
            }
            FAULTLINE_ERROR(lg, "failed");
          }
          EXPECT(flush());
          EXPECT(target->messages() == strings{"second", "first", "failed"});
        }) == 0);
}

TEST_CASE("nor though a scope named the new target before start") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          {
            error_scope outer(lg);
            error_scope inner(lg, {.target = target});
            start({.default_target = target});
            FAULTLINE_DEBUG(lg, "once");
            inner.trip("asked");
            FAULTLINE_DEBUG(lg, "once more");
            outer.trip("asked");
            FAULTLINE_ERROR(lg, "failed");
          }
          EXPECT(flush());
          EXPECT(target->messages() == strings{"once", "once more", "failed"});
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("sizes are the calling thread's and those of threads that attach later, and a name stays") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          logger lg = get_logger("sizes");
          lg.add_handler(target);
          const std::string text(100, 'x');
          const auto log = [&] { FAULTLINE_INFO(lg, "{}", text); };
          default_runtime().attach_thread("main");
          std::atomic<int> step{0};
          std::thread lasting([&] {
            log();
            step = 1;
            while (step != 2) std::this_thread::yield();
            log();
          });
          while (step != 1) std::this_thread::yield();
          std::thread(log).join(); // leaves its buffers to the next of that size
          start({.argument_bytes = 16});
          log();
          std::thread(log).join();
          step = 2;
          lasting.join();
          EXPECT(flush());
          const auto records = target->records();
          EXPECT(records.size() == 5);
          std::vector<std::size_t> sizes;
          for (const auto& r : records) sizes.push_back(r.message.size());
          std::sort(sizes.begin(), sizes.end());
          EXPECT(sizes[0] < 50);
          EXPECT(sizes[1] == sizes[0]);
          EXPECT(sizes[2] == 100);
          EXPECT(std::count_if(records.begin(), records.end(), [&](const auto& r) {
                   return r.thread_name == "main" && r.message.size() == sizes[0];
                 }) == 1);
          EXPECT(closes(stats()));
        }) == 0);
}

TEST_CASE("a thread that calls start holds records outside scopes from then on") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          FAULTLINE_DEBUG(lg, "of before");
          start({.default_target = target, .hold_outside_scopes = true});
          FAULTLINE_DEBUG(lg, "held");
          FAULTLINE_ERROR(lg, "failed");
          EXPECT(flush());
          EXPECT(target->messages() == strings{"held", "failed"});
        }) == 0);
}

TEST_CASE("storms and errors are treated as start says") {
  CHECK(alone([] {
          struct throwing : handler {
            void write(const batch&) override { throw std::runtime_error("full"); }
          };
          const stderr_in_file elsewhere;
          const auto target = make_memory_handler();
          const logger lg = get_logger("options");
          FAULTLINE_DEBUG(lg, "begun");
          std::atomic<int> reports{0};
          start({.default_target = target,
                 .storm_dumps_per_second = 1,
                 .storm_burst = 1,
                 .on_error = [&](const error_report& r) { reports += r.detail == "full" ? 1 : 0; }});
          for (int i = 0; i < 3; ++i) {
            const error_scope scope(lg);
            FAULTLINE_DEBUG(lg, "context");
            FAULTLINE_ERROR(lg, "failed");
            EXPECT(flush());
          }
          EXPECT(stats().contexts_suppressed >= 1);
          logger failing = get_logger("failing");
          failing.add_handler(std::make_shared<throwing>());
          FAULTLINE_INFO(failing, "nowhere");
          EXPECT(flush());
          EXPECT(reports == 1);
          EXPECT(elsewhere.text().empty());
        }) == 0);
}

TEST_CASE("a thread that was there before start waits for room if start says so, in a scope of before, too") {
  const bool in_scope = GENERATE(false, true);
  CHECK(alone([in_scope] {
          const stderr_in_file elsewhere;
          const auto gate = std::make_shared<test::gated_handler>();
          logger lg = get_logger("lines");
          lg.add_handler(gate);
          FAULTLINE_INFO(lg, "hangs");
          gate->wait_for_one_that_hangs();
          std::atomic<int> logged{0};
          std::thread lines([&] {
            std::optional<error_scope> scope;
            if (in_scope) scope.emplace(lg);
            FAULTLINE_INFO(lg, "attached");
            logged = 1;
            while (logged == 1) std::this_thread::yield();
            for (int i = 0; i < 20'000; ++i) {
              FAULTLINE_INFO(lg, "line {}", i);
              ++logged;
            }
          });
          while (logged != 1) std::this_thread::yield();
          start({.on_outbox_full = outbox_policy::block});
          logged = 2;
          while (logged < 100) std::this_thread::yield();
          gate->open();
          lines.join();
          EXPECT(flush());
          EXPECT(stats().lost == 0);
          EXPECT(stats().outbox_full == 0);
          EXPECT(gate->messages().size() == 20'002);
        }) == 0);
}

TEST_CASE("settings are taken over, too") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const test::temporary_directory directory;
          const logger lg = get_logger("options");
          FAULTLINE_DEBUG(lg, "reading");
          configuration settings;
          settings.set("target", "file:" + directory.file("app.log") + "?pattern={message}");
          settings.set("levels", "options=info");
          start(settings);
          {
            const error_scope scope(lg);
            FAULTLINE_DEBUG(lg, "off");
            FAULTLINE_ERROR(lg, "failed");
          }
          EXPECT(flush());
          EXPECT(has(test::contents(directory.file("app.log")), "failed"));
          EXPECT(!has(test::contents(directory.file("app.log")), "off"));
          EXPECT(elsewhere.text().empty());
        }) == 0);
}

#ifndef FAULTLINE_TEST_TSAN // which lets no child of a program with threads start one of its own
TEST_CASE("a forked child of a program that has begun may start with options of its own") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          const logger lg = get_logger("options");
          FAULTLINE_DEBUG(lg, "the parent's");
          EXPECT(alone([&] {
                   const auto target = make_memory_handler();
                   start({.default_target = target, .argument_bytes = 16});
                   {
                     const error_scope scope(lg);
                     FAULTLINE_ERROR(lg, "{}", std::string(100, 'x'));
                   }
                   EXPECT(flush());
                   EXPECT(target->messages().size() == 1);
                   EXPECT(target->messages()[0].size() < 50);
                   EXPECT(has(refusal({}), "call start once"));
                 }) == 0);
          EXPECT(refusal({.default_target = make_memory_handler()}) == "accepted");
        }) == 0);
}
#endif

TEST_CASE("what start cannot change is refused by the option's name and by what began the runtime") {
  const int failed = alone([] { // not in CHECK, where all lines would have one number
    const stderr_in_file elsewhere;
    const auto target = make_memory_handler();
    const std::string place = "start_test.cpp:" + std::to_string(__LINE__ + 1) + " in operator()";
    FAULTLINE_DEBUG(get_logger("options"), "reading {}", "app.conf");
    const std::string refused = refusal({.default_target = target, .flusher = flusher_mode::manual});
    EXPECT(refused.starts_with("flusher: 'manual': the flusher's thread runs already: the runtime began "
                               "with the statement at "));
    EXPECT(refused.ends_with(place + ", \"reading {}\""));
    EXPECT(refusal({.storm_burst = 0}).starts_with("storm_burst: '0'"));
    EXPECT(refusal({.default_target = target, .flusher = flusher_mode::spinning}) == "accepted");
    const std::string again = refusal({});
    EXPECT(again.starts_with("start: 'default runtime': it was started before: call start once; it began "
                             "with the statement at "));
    EXPECT(has(again, place));
    {
      FAULTLINE_SCOPE(get_logger("options"));
      FAULTLINE_ERROR(get_logger("options"), "failed");
    }
    EXPECT(flush());
    EXPECT(target->messages() == strings{"failed"}); // by the start that was accepted
    configuration settings;
    bool refuses = false;
    try {
      start(settings);
    } catch (const configuration_error& e) {
      refuses = has(e.what(), place);
    }
    EXPECT(refuses);
  });
  CHECK(failed == 0);
}

TEST_CASE("scopes and calls that begin the runtime are named as well") {
  const auto began_by = [](auto begin) {
    return alone([&] {
      const std::string expected = begin();
      const std::string refused = refusal({.flusher = flusher_mode::manual});
      EXPECT(has(refused, "the runtime began with " + expected));
      EXPECT(refused.ends_with(expected));
    });
  };
  CHECK(began_by([] {
          const error_scope scope(get_logger("app.db"), {.name = "query"});
          return "a scope 'query' of logger app.db";
        }) == 0);
  CHECK(began_by([] {
          const error_scope scope(get_logger());
          return "a scope of logger root";
        }) == 0);
  CHECK(began_by([] {
          default_runtime().attach_thread("main");
          return "attach_thread";
        }) == 0);
  CHECK(alone([] {
          start({.default_target = make_null_handler(), .flusher = flusher_mode::manual});
          EXPECT(refusal({}).ends_with("call start once; it began with start"));
        }) == 0);
}

TEST_CASE("after stop there is no start") {
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          EXPECT(stop());
          EXPECT(refusal({}) == "start: 'default runtime': it was stopped");
        }) == 0);
  CHECK(alone([] {
          const stderr_in_file elsewhere;
          default_runtime().attach_thread();
          EXPECT(stop());
          EXPECT(refusal({}) == "start: 'default runtime': it was stopped; it began with attach_thread");
        }) == 0);
}

TEST_CASE("threads that fail while start is called leave each record in one place, once") {
  CHECK(alone([] {
          const stderr_in_file before;
          const auto after = make_memory_handler();
          const logger lg = get_logger("options");
          constexpr int rounds = 100;
          std::atomic<int> done{0};
          std::atomic<bool> started{false};
          std::vector<std::thread> threads;
          for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
              int behind = 0;
              for (int i = 0; behind < rounds; ++i) {
                if (started) ++behind;
                const error_scope outer(lg);
                FAULTLINE_DEBUG(lg, "outer {} {}", t, i);
                {
                  error_scope inner(lg);
                  FAULTLINE_DEBUG(lg, "inner {} {}", t, i);
                  if (i % 3 == 0) inner.trip("asked");
                }
                FAULTLINE_ERROR(lg, "failed {} {}", t, i);
                ++done;
              }
            });
          while (done < 3 * rounds) std::this_thread::yield();
          start({.default_target = after, .argument_bytes = 64, .busy_interval = 100us});
          started = true;
          for (std::thread& t : threads) t.join();
          EXPECT(flush());
          std::size_t lines = 0;
          std::unordered_set<std::string> seen;
          const auto note = [&](const std::string& line) { // other lines are of what was lost
            for (const char* const kind : {"outer ", "inner ", "failed "}) {
              const auto at = line.rfind(kind);
              if (at == std::string::npos ||
                  line.find_first_not_of("0123456789 ", at + std::strlen(kind)) != std::string::npos)
                continue;
              seen.insert(line.substr(at));
              ++lines;
            }
          };
          std::istringstream text(before.text());
          for (std::string line; std::getline(text, line);) note(line);
          for (const std::string& m : after->messages()) note(m);
          EXPECT(!after->messages().empty());
          EXPECT(seen.size() == lines);
          const runtime_stats s = stats();
          EXPECT(lines == s.written);
          EXPECT(closes(s));
        }) == 0);
}
