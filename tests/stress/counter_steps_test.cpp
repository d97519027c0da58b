// The time stamp counter goes back by 2 s and by 1 h, to 0, and ahead by a day, between any two of its
// readings. The files of the library that read it are compiled again for this program, and read the test's.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <faultline/faultline.hpp>

#include "base/clock.hpp"
#include "ledgers.hpp"
#include "scale.hpp"
#include "stepping_clocks.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;
using test::strings;

/// What is wrong, in words.
class findings {
 public:
  void expect(bool good, const std::string& what) {
    if (!good) text_ += what + "; ";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

constexpr int iterations = 8;
constexpr auto work_time = 10ms;
constexpr auto rest_time = 50ms;

/// What a run left.
struct played {
  std::uint64_t begun_at = 0; // the reading from which on a flusher looks at the counter
  std::uint64_t ended_at = 0; // and the last one before its last rounds
  std::map<std::string, wall_time> logged;
  strings passed; // by the order in which they were logged
  strings with_second;
  std::vector<stored_record> at_first;
  std::vector<stored_dump> dumps;
  strings at_second;
  strings reports;
  bool stopped = false;
  bool closes = false;
};

/// Lines outside scopes, scopes that succeed and that fail, a limited statement, and a handler that comes and
/// goes; a round every 60 ms.
played play(clock_kind clock, step kind, std::uint64_t at) {
  const stage clocks(kind, at);
  played out;
  const auto first = make_memory_handler(); // every scope's target, and a handler of INFO and above
  first->set_level(level::info);
  const auto second = make_memory_handler();
  second->set_level(level::info);
  runtime rt({.default_target = first,
              .clock = clock,
              .flusher = flusher_mode::manual,
              .on_error = [&](const error_report& r) { out.reports.emplace_back(r.detail); }});
  logger lg = rt.get_logger("app");
  lg.add_handler(first);
  const auto note = [&](std::string line) {
    out.logged[line] = own_now();
    out.passed.push_back(line);
  };
  for (int i = 0; i < iterations; ++i) {
    if (i == 2) lg.add_handler(second);
    if (i == 5) lg.remove_handler(second);
    const std::size_t before = out.passed.size();
    note("line " + std::to_string(i));
    FAULTLINE_INFO(lg, "line {}", i);
    if (i == 0) out.begun_at = readings.load();
    {
      const error_scope scope(lg, {.name = "work", .budget = 1s});
      FAULTLINE_DEBUG(lg, "context {}", i);
      note("inside " + std::to_string(i));
      FAULTLINE_INFO(lg, "inside {}", i);
      let_pass(work_time);
      if (i % 2 == 1) {
        note("error " + std::to_string(i));
        FAULTLINE_ERROR(lg, "error {}", i);
      }
    }
    FAULTLINE_LOG_EVERY(lg, level::info, 100ms, "limited {}", i);
    if (i >= 2 && i < 5)
      out.with_second.insert(out.with_second.end(), out.passed.begin() + static_cast<std::ptrdiff_t>(before),
                             out.passed.end());
    let_pass(rest_time);
    (void)rt.run_once();
  }
  out.ended_at = readings.load();
  (void)rt.run_once();
  (void)rt.run_once();
  out.stopped = rt.flush(5s) && rt.stop(5s);
  out.at_first = first->records();
  out.dumps = first->dumps();
  for (const std::string& m : second->messages())
    if (!m.starts_with("limited")) out.at_second.push_back(m);
  out.closes = test::closes(rt.stats());
  return out;
}

std::string number_of(const std::string& line) { return line.substr(line.find(' ') + 1, 1); }

/// Each line once and in order; the errors' contexts with them.
void check_lines(const played& p, step kind, findings& f) {
  strings passed;
  std::map<std::string, int> contexts;
  int last_limited = -1;
  int limited = 0;
  for (const stored_record& r : p.at_first) {
    if (r.message.starts_with("context")) {
      ++contexts[number_of(r.message)];
    } else if (r.message.starts_with("limited")) {
      const int i = std::stoi(number_of(r.message));
      f.expect(i - last_limited <= 3, "nothing for three intervals");
      last_limited = i;
      ++limited;
    } else {
      passed.push_back(r.message);
    }
  }
  f.expect(passed == p.passed, "lines lost, twice or out of order");
  f.expect(p.at_second == p.with_second, "the second handler's lines");
  f.expect(limited <= iterations / 2 + 1 && last_limited >= iterations - 3, "the limited statement");
  int needless = 0;
  for (int i = 0; i < iterations; ++i) {
    const int count = contexts[std::to_string(i)];
    if (i % 2 == 1) f.expect(count == 1, "the context of a failure " + std::to_string(count) + " times");
    if (i % 2 == 0) needless += count;
  }
  f.expect(needless <= (kind == step::ahead_1_day ? 1 : 0), "scopes said to be slow");
  f.expect(p.stopped && p.closes, "the end");
}

void check_times(const played& p, findings& f) {
  int odd = 0;
  for (const stored_record& r : p.at_first)
    if (const auto logged = p.logged.find(r.message); logged != p.logged.end())
      odd += std::chrono::abs(r.time - logged->second) > (r.time_is_exact ? 1ms : work_time + 1ms) ? 1 : 0;
  f.expect(odd == 0, std::to_string(odd) + " times are odd");
  for (const stored_dump& d : p.dumps)
    f.expect(d.duration >= work_time && d.duration < work_time + 1ms,
             "a duration of " + std::to_string(d.duration.count()) + " ns");
}

void check_report(const played& p, step kind, std::uint64_t at, findings& f) {
  static const std::map<step, std::string> texts{{step::back_2_s, "stepped back by 2.0"},
                                                 {step::back_1_h, "stepped back by 3600.0"},
                                                 {step::to_zero, "stepped back by "},
                                                 {step::ahead_1_day, "stepped ahead by 86400.0"}};
  const bool seen = kind != step::none && at > p.begun_at && at <= p.ended_at;
  f.expect(p.reports.size() <= 1, "said more than once");
  f.expect(!seen || p.reports.size() == 1, "not said");
  for (const std::string& text : p.reports)
    f.expect(kind != step::none && text.find(texts.at(kind)) != std::string::npos, "said '" + text + "'");
}

std::string faults_of(const played& p, step kind, std::uint64_t at) {
  findings f;
  check_lines(p, kind, f);
  check_times(p, f);
  check_report(p, kind, at, f);
  return f.text();
}

} // namespace

TEST_CASE("a counter that steps while its rate is measured spoils no rate") {
  if (!is_available()) return;
  for (const step kind : all_steps)
    for (std::uint64_t at = 1; at <= 32; ++at) {
      INFO("step " << static_cast<int>(kind) << " before reading " << at);
      const stage clocks(kind, at);
      const double rate = detail::measure_nanoseconds_per_tick(detail::clock_source::tsc);
      CHECK(rate * ticks_per_ns == Approx(1).epsilon(0.02));
    }
}

TEST_CASE("a counter that stands still, or counts nothing at all, has some rate") {
  if (!is_available()) return;
  for (const step kind : {step::stands_still, step::wild})
    for (std::uint64_t begin = 0; begin < 20; ++begin) {
      const stage clocks(kind, 0);
      readings = begin;
      const double rate = detail::measure_nanoseconds_per_tick(detail::clock_source::tsc);
      CHECK(rate > 0);
      CHECK(std::isfinite(rate));
    }
}

TEST_CASE("a counter that runs backwards, too little at a time to be a step, has no negative rate") {
  if (!is_available()) return;
  const stage clocks(step::none, 0);
  (void)detail::early_nanoseconds_per_tick(detail::clock_source::tsc);
  step_kind = step::runs_back;
  detail::tick_converter converter(detail::clock_source::tsc);
  for (int i = 0; i < 100; ++i) {
    let_pass(500us);
    (void)converter.refresh();
    REQUIRE(converter.to_duration(converter.ticks(), converter.ticks() + 1000) > 0ns);
  }
}

TEST_CASE("a counter that steps between any two readings costs no line, holds up none, and is told of once") {
  if (!is_available()) return;
  for (const clock_kind clock : {clock_kind::tsc, clock_kind::scope, clock_kind::coarse}) {
    const played steady = play(clock, step::none, 0);
    REQUIRE(faults_of(steady, step::none, 0).empty());
    REQUIRE(steady.reports.empty());
    const std::uint64_t stride = sanitized ? 7 : 1;
    for (const step kind : all_steps)
      for (std::uint64_t at = 1; at <= steady.ended_at; at += stride) {
        INFO("clock " << static_cast<int>(clock) << ", step " << static_cast<int>(kind) << " before reading "
                      << at << " of " << steady.ended_at);
        REQUIRE(faults_of(play(clock, kind, at), kind, at) == "");
      }
  }
}

TEST_CASE("control: a flusher that trusts the counter would be noticed, and so would what is lost or twice") {
  if (!is_available()) return;
  const played steady = play(clock_kind::tsc, step::none, 0);
  const std::uint64_t middle = steady.ended_at / 2;
  trusted = true;
  for (const step kind : all_steps) {
    std::string found; // of a few steps: one between a round and the next record makes no time odd
    for (std::uint64_t at = middle; at < middle + 8; ++at)
      found += faults_of(play(clock_kind::tsc, kind, at), kind, at);
    INFO(found);
    CHECK(found.find("not said") != std::string::npos);
    CHECK(found.find("odd") != std::string::npos);
  }
  trusted = false;
  const auto faults_with = [&](auto&& change) {
    played p = steady;
    change(p);
    return faults_of(p, step::none, 0);
  };
  CHECK(faults_with([](played& p) { p.at_first.erase(p.at_first.begin()); }) != "");
  CHECK(faults_with([](played& p) { p.at_first.push_back(p.at_first.back()); }) != "");
  CHECK(faults_with([](played& p) { p.dumps.front().duration = -1h; }) != "");
  CHECK(faults_with([](played& p) { p.reports.emplace_back("stepped"); }) != "");
}

TEST_CASE("a scope that is open across a step is written whole, with its times and its duration") {
  if (!is_available()) return;
  for (const clock_kind clock : {clock_kind::tsc, clock_kind::scope, clock_kind::coarse})
    for (const step kind : all_steps) {
      INFO("clock " << static_cast<int>(clock) << ", step " << static_cast<int>(kind));
      const stage clocks(step::none, 0);
      test::manual_runtime rt({.clock = clock, .on_error = [](const error_report&) {}});
      const logger lg = rt.get();
      std::vector<wall_time> at;
      const auto held = [&](int i) {
        at.push_back(own_now());
        FAULTLINE_DEBUG(lg, "held {}", i);
      };
      {
        const error_scope scope(lg);
        held(0);
        let_pass(50ms);
        (void)rt.get_runtime().run_once();
        held(1);
        make_step(kind);
        held(2);
        for (int i = 3; i < 6; ++i) {
          let_pass(50ms);
          (void)rt.get_runtime().run_once();
          held(i);
        }
        FAULTLINE_ERROR(lg, "error");
      }
      const auto dumps = rt.dumps();
      REQUIRE(dumps.size() == 1);
      CHECK(dumps[0].duration >= 200ms);
      CHECK(dumps[0].duration < 201ms);
      const auto records = rt.target->records();
      REQUIRE(records.size() == 7);
      const auto late = clock == clock_kind::tsc ? 1ms : clock == clock_kind::coarse ? 51ms : 201ms;
      for (std::size_t i = 0; i < at.size(); ++i) CHECK(std::chrono::abs(records[i].time - at[i]) < late);
    }
}

TEST_CASE("a storm ends, and is told of, whatever the counter does") {
  if (!is_available()) return;
  for (const step kind : all_steps) {
    const stage clocks(step::none, 0);
    test::manual_runtime rt(
        {.storm_dumps_per_second = 2, .storm_burst = 1, .on_error = [](const error_report&) {}});
    const logger lg = rt.get();
    const auto fail = [&](const char* context) {
      const error_scope scope(lg);
      FAULTLINE_DEBUG(lg, "{}", context);
      FAULTLINE_ERROR(lg, "error");
    };
    for (int i = 0; i < 3; ++i) {
      fail("stormy");
      rt.write_all();
    }
    make_step(kind);
    let_pass(600ms);
    rt.write_all();
    fail("calm");
    const strings expected{"stormy",
                           "error",
                           "error",
                           "error",
                           "storm: the context of 2 failures at " + std::string(__FILE__) + ":" +
                               std::to_string(rt.target->records().at(1).line) + " was suppressed",
                           "calm",
                           "error"};
    CHECK(rt.messages() == expected);
  }
}

TEST_CASE("control: the counter that steps is the one that statements read") {
  if (!is_available()) return;
  const stage clocks(step::none, 0);
  test::manual_runtime rt({.on_error = [](const error_report&) {}});
  logger lg = rt.get();
  lg.add_handler(rt.target);
  const auto limited = [&] { FAULTLINE_LOG_EVERY(lg, level::info, 1h, "limited"); };
  for (int i = 0; i < 3; ++i) limited();
  CHECK(rt.messages().size() == 1);
  make_step(step::ahead_1_day);
  limited();
  CHECK(rt.messages().size() == 2);
}

TEST_CASE("threads that log while the counter steps to and fro lose nothing and hang nowhere") {
  if (!is_available()) return;
  const auto target = make_memory_handler();
  std::atomic<std::uint64_t> reports{0};
  runtime r({.default_target = target,
             .outbox_bytes = 1U << 20,
             .storm_dumps_per_second = 0,
             .on_error = [&](const error_report&) { reports.fetch_add(1); }});
  const strings names{"first", "second"};
  const std::size_t wanted = scaled(40);
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> statements{0};
  std::vector<std::thread> threads;
  for (const std::string& name : names) {
    r.get_logger(name).add_handler(target);
    threads.emplace_back([&, lg = r.get_logger(name)] {
      std::uint64_t n = 0;
      while (!over.load()) {
        const error_scope scope(lg, {.budget = 1h});
        for (int i = 0; i < 10; ++i, ++n) FAULTLINE_INFO(lg, "{}", n);
        std::this_thread::sleep_for(200us); // within what the flusher writes, whatever the machine does
      }
      statements.fetch_add(n);
    });
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    make_step(all_steps[i % all_steps.size()]);
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(r.flush(10s));
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
    std::this_thread::sleep_for(5ms);
  }
  over = true;
  for (std::thread& t : threads) t.join();
  offset_ticks = 0;
  REQUIRE(r.stop(10s));
  std::map<std::string, std::uint64_t> next;
  std::uint64_t wrong = 0;
  for (const stored_record& record : target->records())
    wrong += record.message != std::to_string(next[record.logger]++) ? 1 : 0;
  CHECK(wrong == 0);
  CHECK(next["first"] + next["second"] == statements.load());
  CHECK(reports.load() > 0);
  CHECK(reports.load() <= wanted + 1);
  check_ledgers(r.stats(), statements.load());
}

} // namespace faultline::stress
