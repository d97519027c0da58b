// How a background handler ends, and what it says about records that its inner one did not put out.
#include "handlers/background_handler.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/gated_handler.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/watched_handler.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::closes;
using test::contains;
using test::gated_handler;
using test::numbered_records;
using test::open_gate;
using test::strings;

namespace {

/// For tests that are over when the inner handler has finished, however loaded the machine is.
constexpr background_options patient{.finish_limit = 60s};
constexpr background_options hasty{.finish_limit = 20ms};

} // namespace

TEST_CASE("the end waits for batches that were added while the thread was writing another") {
  const auto inner = open_gate();
  detail::background_worker worker(inner, 1U << 20);
  const numbered_records records(3);
  REQUIRE(worker.add(std::make_unique<detail::batch_copy>(records.one(0))));
  std::size_t added = 1;
  inner->behind_gate = [&] {
    if (added < 3) REQUIRE(worker.add(std::make_unique<detail::batch_copy>(records.one(added++))));
  };
  std::thread thread([&] { worker.run(); });
  CHECK(worker.finish(detail::background_worker::clock::now() + 60s, true));
  thread.join();
  CHECK(inner->writes() == 3);
  CHECK(worker.take_lost() == 0);
}

TEST_CASE("stop gives up on an inner handler that hangs, and counts what it left and what is in its hands") {
  const auto inner = std::make_shared<gated_handler>();
  const auto good = make_memory_handler();
  const handler_ptr h = make_background_handler(inner, hasty);
  runtime rt({.default_target = make_null_handler()});
  logger lg = rt.get_logger();
  lg.add_handler(h);
  lg.add_handler(good);
  for (int i = 0; i < 10; ++i) {
    FAULTLINE_INFO(lg, "{}", i);
    (void)rt.flush(2ms);
  }
  CHECK_FALSE(rt.stop(60s)); // long before that: the inner handler hangs for ever
  CHECK(good->messages().size() == 10);
  CHECK(h->lost() == 10);
  CHECK(rt.stats().handler_lost == 10);
  CHECK(closes(rt.stats()));

  inner->open(); // what was in its hands is written all the same, and not counted again
  while (h->pending()) h->flush();
  CHECK(h->lost() == 10);
  CHECK(inner->messages().size() <= 10);
  h->write(numbered_records(1).all());
  h->flush();
  while (h->pending()) std::this_thread::yield();
  CHECK(inner->messages().back() == "record 0");
  CHECK_FALSE(inner->was_crowded());
}

TEST_CASE("stop counts what an inner handler took and has not flushed when its flush hangs") {
  /// Keeps what it is given, as handlers of files do, and hangs when it is to put it out.
  class keeper final : public handler {
   public:
    void write(const batch& records) override { kept_ += records.size(); }
    void flush() override {
      while (!open_.load()) std::this_thread::yield();
      kept_ = 0;
    }
    [[nodiscard]] bool pending() const noexcept override { return kept_ != 0; }
    void open() { open_.store(true); }

   private:
    std::size_t kept_ = 0;
    std::atomic<bool> open_{false};
  };
  const auto inner = std::make_shared<keeper>();
  const handler_ptr h = make_background_handler(inner, hasty);
  h->write(numbered_records(3).all());
  h->write(numbered_records(4).all());
  h->flush();
  CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("7 records are lost"));
  CHECK(h->lost() == 7);
  inner->open(); // it puts them out all the same, and they are not counted again
  while (h->pending()) h->flush();
  h->write(numbered_records(2).all());
  h->flush();
  while (h->pending()) std::this_thread::yield();
  CHECK_NOTHROW(h->last_flush(test::in_time()));
  CHECK(h->lost() == 7);
}

TEST_CASE("a thread that hangs keeps its inner handler, and neither is waited for twice") {
  const auto inner = std::make_shared<gated_handler>();
  const std::weak_ptr<gated_handler> remains = inner;
  {
    handler_ptr h = make_background_handler(inner, hasty);
    h->write(numbered_records(3).all());
    h->flush();
    inner->wait_for_one_that_hangs();
    CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("3 records are lost"));
    CHECK(h->pending()); // stop says so, too
  }
  CHECK(remains.use_count() > 1);
  inner->open();
  while (remains.use_count() > 1) std::this_thread::yield(); // it ends when the thread has let go
  CHECK(inner->messages().size() == 3);
  CHECK_FALSE(inner->was_crowded());
}

TEST_CASE("the end of a background handler lets its inner one write what waits") {
  const auto inner = open_gate();
  {
    const handler_ptr h = make_background_handler(inner, patient);
    for (std::size_t i = 0; i < 50; ++i) h->write(numbered_records(50).one(i));
  }
  CHECK(inner->writes() == 50);
  CHECK(inner.use_count() == 1);
  (void)make_background_handler(inner, patient); // without a thread there is nothing to wait for
}

TEST_CASE(
    "what the inner handler still has after its last flush counts as lost, unless it counted that itself") {
  class keeping final : public handler {
   public:
    explicit keeping(std::uint64_t counts_itself) : counts_itself_(counts_itself) {}
    void write(const batch&) override {}
    void last_flush(std::chrono::steady_clock::time_point /*until*/) override {
      report_dropped(counts_itself_);
    }
    [[nodiscard]] bool pending() const noexcept override { return true; }

   private:
    const std::uint64_t counts_itself_;
  };
  for (const std::uint64_t counts_itself : {0U, 1U, 3U}) {
    const handler_ptr h = make_background_handler(std::make_shared<keeping>(counts_itself), patient);
    h->write(numbered_records(3).all());
    h->last_flush(test::in_time());
    CHECK(h->lost() == 3);
    CHECK(h->dropped() == 3);
  }
}

TEST_CASE(
    "what the inner handler loses of what it had taken is counted once, also when it hangs afterwards") {
  class first_loses_then_hangs final : public handler {
   public:
    void write(const batch& records) override { kept_ += records.size(); }
    void flush() override {
      report_dropped(std::exchange(kept_, 0));
      has_flushed = true;
    }
    void flush_all() override { flush(); }
    void last_flush(std::chrono::steady_clock::time_point until) override {
      while (!may_end) std::this_thread::sleep_until(until + 1ms);
    }
    [[nodiscard]] bool pending() const noexcept override { return true; }
    std::atomic<bool> has_flushed{false};
    std::atomic<bool> may_end{false};

   private:
    std::uint64_t kept_ = 0;
  };
  const auto loser = std::make_shared<first_loses_then_hangs>();
  const handler_ptr h = make_background_handler(loser, hasty);
  h->write(numbered_records(100).all());
  h->flush();
  while (!loser->has_flushed) std::this_thread::yield();
  CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("has not finished"));
  CHECK(h->lost() == 100);
  loser->may_end = true;
}

TEST_CASE(
    "what an inner handler has to report after its last flush is reported, and nothing counts as lost") {
  class failing_at_the_end final : public handler {
   public:
    void write(const batch&) override { state_ = keeps; }
    void flush() override {
      if (state_ != reports) return;
      state_ = done;
      throw std::runtime_error("seen while it finished");
    }
    void last_flush(std::chrono::steady_clock::time_point /*until*/) override { state_ = reports; }
    [[nodiscard]] bool pending() const noexcept override { return state_ != done; }

   private:
    enum { done, keeps, reports } state_ = done;
  };
  const handler_ptr h = make_background_handler(std::make_shared<failing_at_the_end>(), patient);
  h->write(numbered_records(3).all());
  CHECK_THROWS_WITH(h->last_flush(test::in_time()), contains("seen while it finished"));
  CHECK(h->lost() == 0);
  CHECK_FALSE(h->pending());
}
