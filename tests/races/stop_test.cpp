// Who waits for the flusher while it, or another of its callers, comes to an end.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>

#include <faultline/faultline.hpp>

#include "races/play.hpp"
#include "support/gated_handler.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::fail;
using test::gated_handler;
using test::planted_fault;
using test::race_point;
using test::scene;
using test::stage;
using test::strings;

namespace {

using clock = std::chrono::steady_clock;

/// Until as many threads more came to the point.
void wait_for_visits(const stage& s, race_point here, std::size_t before, std::size_t more = 1) {
  while (s.visits(here) < before + more) std::this_thread::yield();
}

/// Keeps what it is given until its last flush, which it may hold up.
class keeping_handler final : public handler {
 public:
  explicit keeping_handler(std::function<void()> at_end = {}) : at_end_(std::move(at_end)) {}
  void write(const batch&) override { keeps_ = true; }
  void last_flush(clock::time_point until) override {
    left = until - clock::now();
    if (at_end_) at_end_();
    keeps_ = false;
  }
  [[nodiscard]] bool pending() const noexcept override { return keeps_; }

  std::optional<clock::duration> left; ///< of its time, when its last flush began

 private:
  const std::function<void()> at_end_;
  bool keeps_ = false;
};

} // namespace

TEST_CASE("two stops that wait for another thread's round: both drain, and say the same") {
  stage s;
  const auto gate = std::make_shared<gated_handler>();
  const auto target = make_memory_handler();
  runtime rt({.default_target = make_null_handler(), .flusher = flusher_mode::manual});
  logger lg = rt.get_logger();
  lg.add_handler(gate);
  lg.add_handler(target);
  FAULTLINE_INFO(lg, "in the round");
  test::actor third;
  third.begins([&] { (void)rt.run_once(); });
  gate->wait_for_one_that_hangs();
  FAULTLINE_INFO(lg, "left for the drain");
  CHECK_FALSE(rt.flush(5ms));
  CHECK_FALSE(rt.stop(5ms));
  const std::size_t before = s.visits(race_point::turn_awaited);
  bool is_whole[2] = {};
  test::actor first;
  test::actor second;
  first.begins([&] { is_whole[0] = rt.stop(); });
  second.begins([&] { is_whole[1] = rt.stop(); });
  wait_for_visits(s, race_point::turn_awaited, before, 2);
  gate->open();
  for (test::actor* a : {&first, &second, &third}) a->waits();
  CHECK(is_whole[0]);
  CHECK(is_whole[1]);
  CHECK(target->messages() == strings{"in the round", "left for the drain"});
}

TEST_CASE("a stop while a flush waits: the flush returns") {
  stage s;
  const auto target = std::make_shared<gated_handler>();
  runtime rt({.default_target = target});
  fail(rt.get_logger(), 1);
  target->wait_for_one_that_hangs();
  const std::size_t before = s.visits(race_point::flush_awaited);
  bool is_flushed = true;
  test::actor waiting;
  waiting.begins([&] { is_flushed = rt.flush(1h); });
  wait_for_visits(s, race_point::flush_awaited, before);
  CHECK_FALSE(rt.stop(0ns));
  target->open();
  waiting.waits();
  CHECK_FALSE(is_flushed);
  CHECK(rt.stop());
}

TEST_CASE("a second stop with more time, while the first one's handlers finish: the next handler has it") {
  stage s;
  std::binary_semaphore finishes{0};
  std::binary_semaphore goes_on{0};
  const auto first = std::make_shared<keeping_handler>([&] {
    finishes.release();
    goes_on.acquire();
  });
  const auto second = std::make_shared<keeping_handler>();
  runtime rt({.default_target = make_null_handler()});
  logger lg = rt.get_logger();
  lg.add_handler(first);
  lg.add_handler(second);
  FAULTLINE_INFO(lg, "kept");
  CHECK_FALSE(rt.stop(1ms));
  finishes.acquire();
  const std::size_t before = s.visits(race_point::stop_awaited);
  test::actor patient;
  bool is_whole = false;
  patient.begins([&] { is_whole = rt.stop(1h); });
  wait_for_visits(s, race_point::stop_awaited, before);
  goes_on.release();
  patient.waits();
  CHECK(is_whole);
  REQUIRE(second->left);
  CHECK(*second->left > 30min);
}

TEST_CASE("a hand-over that does not arrive while `stop` drains leaves the handlers a part of the time") {
  scene s;
  const auto keeping = std::make_shared<keeping_handler>();
  logger lg = s.get("kept");
  lg.add_handler(keeping);
  s.thread.does([&] { FAULTLINE_INFO(lg, "kept"); });
  s.round();
  s.plant(planted_fault::queue_seems_empty);
  s.thread.does([&] { fail(s.lg, 1); });
  bool drained = true;
  s.flusher.does([&] { drained = s.get_runtime().stop(2s); });
  CHECK_FALSE(drained);
  REQUIRE(keeping->left);
  CHECK(*keeping->left > 0s);
}
