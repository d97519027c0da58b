// Signal handlers that log: each statement is recorded whole or counted, and nothing waits.
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

#include "child.hpp"
#include "ledgers.hpp"
#include "scale.hpp"
#include "support/catch.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;

// What the signal handler works with.
const logger* signal_logger = nullptr;
std::atomic<std::uint64_t> signals_taken{0};
std::atomic<std::uint64_t> statements_in_handler{0};

extern "C" void log_one(int) {
  const std::uint64_t n = signals_taken.fetch_add(1);
  FAULTLINE_DEBUG(*signal_logger, "signal {} {}", n, n * 3);
  statements_in_handler.fetch_add(1);
}

extern "C" void fail_in_scope(int) {
  const std::uint64_t n = signals_taken.fetch_add(1);
  const error_scope scope(*signal_logger);
  FAULTLINE_DEBUG(*signal_logger, "signal {} {}", n, n * 3);
  FAULTLINE_ERROR(*signal_logger, "signal {} {}", n, n * 3);
  statements_in_handler.fetch_add(2);
}

/// Installs a handler for SIGUSR1, and has it called on the calling thread as fast as another thread can.
class signal_rain {
 public:
  signal_rain(const logger& lg, void (*handler)(int)) : target_(pthread_self()) {
    signal_logger = &lg;
    signals_taken = statements_in_handler = 0;
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(SIGUSR1, &action, &before_);
    thread_ = std::thread([this] {
      while (!begun_.load()) std::this_thread::yield(); // no signal into the making of this thread
      while (!over_.load(std::memory_order_relaxed)) {
        // One at a time: a second one would only be merged with the first.
        const std::uint64_t seen = signals_taken.load();
        pthread_kill(target_, SIGUSR1);
        while (signals_taken.load() == seen && !over_.load(std::memory_order_relaxed))
          std::this_thread::yield();
      }
    });
    begun_ = true;
  }
  signal_rain(const signal_rain&) = delete;
  signal_rain& operator=(const signal_rain&) = delete;
  ~signal_rain() {
    over_ = true;
    thread_.join();
    sigaction(SIGUSR1, &before_, nullptr);
  }

 private:
  pthread_t target_;
  struct sigaction before_ {};
  std::atomic<bool> begun_{false};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// "main 5 15" and "signal 7 21": a torn record would not be three times its number.
bool is_whole(std::string_view message) {
  for (const std::string_view who : {"main ", "signal "}) {
    if (!message.starts_with(who)) continue;
    const char* const end = message.data() + message.size();
    std::uint64_t n = 0;
    std::uint64_t tripled = 0;
    const auto first = std::from_chars(message.data() + who.size(), end, n);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return false;
    const auto second = std::from_chars(first.ptr + 1, end, tripled);
    return second.ec == std::errc() && second.ptr == end && tripled == 3 * n;
  }
  return false;
}

/// Judges each record and keeps none: a run of 10^5 signals has many millions of them.
class judging_handler final : public handler {
 public:
  void write(const batch& records) override {
    for (const record_view& r : records)
      if (r.logger == "rain") ++(is_whole(r.message()) ? whole_ : torn_);
  }
  [[nodiscard]] std::uint64_t whole() const { return whole_; } ///< after a `flush`
  [[nodiscard]] std::uint64_t torn() const { return torn_; }

 private:
  std::uint64_t whole_ = 0;
  std::uint64_t torn_ = 0;
};

struct work_done {
  std::uint64_t statements = 0;
  std::uint64_t scopes = 0;
};

/// The interrupted thread's own work: scopes, helpers, failures.
work_done work_in_the_rain(const logger& lg, std::uint64_t until_signals) {
  work_done done;
  for (std::uint64_t n = 0; signals_taken.load(std::memory_order_relaxed) < until_signals; ++n) {
    const error_scope scope(lg, {.capacity = 10});
    ++done.scopes;
    for (int i = 0; i < 20; ++i) FAULTLINE_DEBUG(lg, "main {} {}", n, n * 3);
    done.statements += 20;
    if (n % 8 != 0) continue;
    FAULTLINE_ERROR(lg, "main {} {}", n, n * 3);
    ++done.statements;
  }
  return done;
}

void check_whole(const judging_handler& target) {
  CHECK(target.torn() == 0);
  CHECK(target.whole() > 0);
}

} // namespace

TEST_CASE("a signal handler's statements are recorded whole or counted as reentered") {
  const auto target = std::make_shared<judging_handler>();
  runtime r({.default_target = target, .storm_dumps_per_second = 0});
  const logger lg = r.get_logger("rain");
  r.attach_thread();
  work_done done;
  {
    const signal_rain rain(lg, &log_one);
    done = work_in_the_rain(lg, scaled(10'000));
  }
  REQUIRE(r.flush(60s));
  const runtime_stats s = r.stats();
  check_ledgers(s, done.statements + statements_in_handler);
  CHECK(s.reentered <= statements_in_handler);
  check_whole(*target);
}

TEST_CASE("a signal handler's scopes and trips are whole or counted") {
  const auto target = std::make_shared<judging_handler>();
  runtime r({.default_target = target, .storm_dumps_per_second = 0});
  const logger lg = r.get_logger("rain");
  r.attach_thread();
  work_done done;
  {
    const signal_rain rain(lg, &fail_in_scope);
    done = work_in_the_rain(lg, scaled(10'000));
  }
  REQUIRE(r.flush(60s));
  const runtime_stats s = r.stats();
  check_ledgers(s, done.statements + statements_in_handler);
  check_whole(*target);
}

TEST_CASE("a torn record would be noticed") {
  CHECK(is_whole("main 5 15"));
  CHECK_FALSE(is_whole("main 5 16"));
  CHECK_FALSE(is_whole("main 5 15 signal 7"));
  CHECK_FALSE(is_whole("main 5"));
}

TEST_CASE("a signal during a statement finds the cursor closed and is counted") {
  // The control of the tests above: the rain does fall into statements.
  runtime r({.default_target = make_null_handler(), .storm_dumps_per_second = 0});
  const logger lg = r.get_logger("rain");
  r.attach_thread();
  std::uint64_t reentered = 0;
  work_done done;
  const auto deadline = std::chrono::steady_clock::now() + 50s;
  {
    const signal_rain rain(lg, &log_one);
    while (reentered == 0 && std::chrono::steady_clock::now() < deadline) {
      const work_done more = work_in_the_rain(lg, signals_taken + 1000);
      done.statements += more.statements;
      reentered = r.stats().reentered;
    }
  }
  CHECK(reentered > 0);
  REQUIRE(r.flush());
  check_ledgers(r.stats(), done.statements + statements_in_handler);
}

TEST_CASE("a signal handler that logs while its thread makes the first use of a runtime does not hang") {
  int status = 0;
  for (std::size_t i = 0; i < scaled(300) && status == 0; ++i)
    status = in_child([] {
      ::alarm(10);
      const auto target = make_memory_handler();
      runtime r({.default_target = target});
      const logger lg = r.get_logger("rain");
      std::uint64_t statements = 0;
      {
        const signal_rain rain(lg, &log_one);
        while (signals_taken < 2) {
          FAULTLINE_DEBUG(lg, "main {} {}", statements, statements * 3);
          ++statements;
        }
      }
      return r.flush(5s) && r.stats().logged == statements + statements_in_handler ? 0 : 1;
    });
  CHECK(status == 0); // 142: SIGALRM ended a child that hung
}

} // namespace faultline::stress
