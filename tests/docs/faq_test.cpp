// Answers of docs/faq.md that no other test shows.
#include <sys/resource.h>

#include <chrono>
#include <latch>
#include <thread>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("with nothing set a DEBUG record is in its scope's dump, whatever the levels of the handlers") {
  manual_runtime rt;
  const auto attached = make_memory_handler();
  attached->set_level(level::error);
  rt.get("app").add_handler(attached);
  rt.target->set_level(level::critical);
  {
    const error_scope scope(rt.get("app"));
    FAULTLINE_DEBUG(rt.get("app.db"), "debug");
    FAULTLINE_ERROR(rt.get("app.db"), "error");
  }
  CHECK(rt.messages() == strings{"debug", "error"});
  CHECK(attached->messages() == strings{"error"});
}

TEST_CASE("a failure writes the records of its own work, not those of other threads on the same logger") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  std::latch both_hold(2);
  std::latch failed(1);
  std::thread other([&] {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "other work");
    both_hold.arrive_and_wait();
    failed.wait();
    FAULTLINE_DEBUG(lg, "other work goes on");
  });
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "own work");
    both_hold.arrive_and_wait();
    FAULTLINE_ERROR(lg, "own failure");
  }
  failed.count_down();
  other.join();
  CHECK(rt.messages() == strings{"own work", "own failure"});
}

TEST_CASE("a failure writes nothing of the work that its thread did before") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  for (const bool good : {true, false}) {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "work that {}", good ? "succeeds" : "fails");
    if (!good) FAULTLINE_ERROR(lg, "failed");
  }
  CHECK(rt.messages() == strings{"work that fails", "failed"});
}

namespace {

/// Processor time of the whole process.
std::chrono::microseconds processor_time() {
  rusage usage{};
  REQUIRE(getrusage(RUSAGE_SELF, &usage) == 0);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

constexpr auto next_to_none = 20ms;

/// What the process uses in a second in which nobody logs, after some work.
std::chrono::microseconds idle_second(flusher_mode mode) {
  runtime_options options;
  options.default_target = make_memory_handler();
  options.flusher = mode;
  runtime rt(options);
  const logger lg = rt.get_logger("app");
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "there was work once");
  }
  REQUIRE(rt.flush());
  const auto before = processor_time();
  std::this_thread::sleep_for(1s); // what is measured: a second
  return processor_time() - before;
}

} // namespace

TEST_CASE("a runtime with nothing to do takes next to no processor time") {
  CHECK(idle_second(flusher_mode::thread) < next_to_none);
}

TEST_CASE("processor time taken for nothing would be noticed") {
  CHECK(idle_second(flusher_mode::spinning) > next_to_none); // beside other load, too
}
