// The stretches in which the time stamp counter counts evenly: what a step is and what is none, and which
// stretch ticks are of.
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <faultline/faultline.hpp>

#include "stepping_clocks.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;
using test::strings;

/// Before the runtime, and behind its end.
struct told {
  strings reports;
};

/// A runtime whose flusher tells of steps, and records whose times are known.
struct observed : stage, told, test::manual_runtime {
  observed()
      : stage(step::none, 0), test::manual_runtime({.on_error = [this](const error_report& r) {
          reports.emplace_back(r.detail);
        }}) {
    lg.add_handler(target);
  }
  void round() { (void)get_runtime().run_once(); }
  void log() {
    at.push_back(own_now());
    FAULTLINE_INFO(lg, "{}", at.size());
  }
  /// Of all records, in the order in which they were logged.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> errors() const {
    std::vector<std::chrono::nanoseconds> found;
    for (const stored_record& r : target->records())
      if (const std::size_t i = std::stoul(r.message) - 1; i == found.size())
        found.push_back(std::chrono::abs(r.time - at[i]));
    return found;
  }
  void check_times() const {
    const auto found = errors();
    CHECK(found.size() == at.size());
    for (const auto error : found) CHECK(error < 1ms);
  }

  logger lg = get("app");
  std::vector<wall_time> at;
};

} // namespace

TEST_CASE("times are right though the flusher rested for seconds, in a stretch and where one ends") {
  if (!is_available()) return;
  // By 2 s it would go back to where it was within that rest: what is then of which stretch nobody knows.
  for (const step kind : {step::none, step::back_1_h, step::to_zero, step::ahead_1_day}) {
    INFO("step " << static_cast<int>(kind));
    observed o;
    for (int i = 0; i < 5; ++i) {
      o.log();
      let_pass(700ms);
      o.round();
    }
    o.log();
    let_pass(5s);
    o.log();
    let_pass(5s);
    make_step(kind);
    let_pass(10ms);
    o.log();
    o.round();
    o.check_times();
    CHECK(o.reports.size() == (kind == step::none ? 0 : 1));
  }
}

TEST_CASE("what a scope held through four steps shows its times") {
  if (!is_available()) return;
  observed o;
  o.lg.remove_handler(o.target);
  {
    error_scope scope(o.lg);
    for (const step kind : {step::back_1_h, step::ahead_1_day, step::back_1_h, step::ahead_1_day}) {
      o.log();
      let_pass(20ms);
      o.round();
      make_step(kind);
      let_pass(20ms);
      o.round();
    }
    o.log();
    scope.trip("asked");
  }
  o.write_all();
  o.check_times();
}

TEST_CASE("ticks that come a second time, behind a step back, are of the present") {
  if (!is_available()) return;
  observed o;
  for (int i = 0; i < 8; ++i) {
    o.log();
    let_pass(500ms);
    o.round();
  }
  make_step(step::back_2_s);
  for (int i = 0; i < 8; ++i) {
    let_pass(10ms);
    o.log();
    o.round();
    let_pass(300ms);
    o.round();
  }
  o.check_times();
}

TEST_CASE("a step to a machine whose counter has another rate is told of once, and that rate is learnt") {
  if (!is_available()) return;
  for (const std::int64_t rate : {2'000'000, 2'900'000, 3'100'000, 4'000'000}) {
    INFO("rate " << rate);
    observed o;
    for (int i = 0; i < 20; ++i) {
      let_pass(60ms);
      o.round();
    }
    make_step(step::back_1_h);
    set_rate(rate);
    for (int i = 0; i < 20; ++i) {
      let_pass(60ms);
      o.round();
    }
    o.lg.remove_handler(o.target);
    {
      error_scope scope(o.lg);
      FAULTLINE_DEBUG(o.lg, "0");
      let_pass(100ms);
      scope.trip("asked");
    }
    o.write_all();
    CHECK(o.reports.size() == 1);
    REQUIRE(o.target->dumps().size() == 1);
    CHECK(o.target->dumps()[0].duration >= 99ms);
    CHECK(o.target->dumps()[0].duration <= 101ms);
  }
}

TEST_CASE("what may be an error of the readings is no step") {
  if (!is_available()) return;
  const auto rounds = [](std::chrono::nanoseconds rest, auto change) {
    observed o;
    for (int i = 0; i < 20; ++i) {
      let_pass(rest);
      o.round();
    }
    change();
    let_pass(rest);
    o.round();
    return o.reports.size();
  };
  constexpr std::int64_t ms = 1'000'000 * ticks_per_ns;
  CHECK(rounds(100us, [] { offset_ticks += ms / 2; }) == 0);
  CHECK(rounds(100us, [] { offset_ticks -= ms / 2; }) == 0);
  CHECK(rounds(100us, [] { offset_ticks += 2 * ms; }) == 1);
  CHECK(rounds(100us, [] { offset_ticks -= 2 * ms; }) == 1);
  CHECK(rounds(10s, [] { set_rate(3'010'000); }) == 0); // the monotonic clock is slewed by less
  CHECK(rounds(10s, [] { set_rate(3'100'000); }) == 1);
  CHECK(rounds(60ms, [] { reading_ns = 20'000'000; }) == 0); // a processor that was taken away in each
}

TEST_CASE("a record that was logged behind a round's reading, and a step, waits for the next reading") {
  if (!is_available()) return;
  observed o;
  for (int i = 0; i < 8; ++i) {
    o.log();
    let_pass(500ms);
    o.round();
  }
  const std::uint64_t before = readings;
  o.round();
  const std::uint64_t readings_of_a_round = readings - before;
  action = [&] {
    std::thread([&] {
      make_step(step::back_2_s);
      let_pass(1ms);
      o.log();
    }).join();
  };
  act_at = readings + readings_of_a_round;
  o.round();
  act_at = 0;
  let_pass(10ms);
  o.round();
  CHECK(o.at.size() == 9);
  o.check_times();
}

} // namespace faultline::stress
