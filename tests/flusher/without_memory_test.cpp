// The flusher's thread without memory: each allocation of it fails once, and nothing is lost unsaid.
#include <chrono>
#include <cstdlib>
#include <new>

#include "record/thread_names.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/standing_clock.hpp"

using namespace faultline;
using faultline::test::closes;

namespace {

thread_local constinit int allocations_left = -1; // -1: no end

bool may_allocate() noexcept {
  if (allocations_left == 0) return false;
  if (allocations_left > 0) --allocations_left;
  return true;
}

/// So many allocations of this thread are good, and none behind them.
class memory_for {
 public:
  explicit memory_for(int allocations) noexcept { allocations_left = allocations; }
  memory_for(const memory_for&) = delete;
  memory_for& operator=(const memory_for&) = delete;
  ~memory_for() { allocations_left = -1; }
  [[nodiscard]] bool is_used_up() const noexcept { return allocations_left == 0; }
};

} // namespace

void* operator new(std::size_t bytes) {
  if (may_allocate())
    if (void* const at = std::malloc(bytes)) return at;
  throw std::bad_alloc();
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }

namespace {

/// Counts what comes, without memory.
class counting_handler final : public handler {
 public:
  void write(const batch& records) override { count += records.size(); }
  std::size_t count = 0;
};

/// Records of all kinds: passed ones, a dump of two targets, a storm's, strings and names of any length.
void log_all_kinds(logger lg, const handler_ptr& second) {
  const std::string large(30'000, 'x');
  FAULTLINE_INFO(lg, "passed {}", large);
  for (int i = 0; i < 2; ++i) {
    error_scope outer(lg, {.name = "outer", .target = second});
    outer.field("key", i);
    const error_scope inner(lg);
    FAULTLINE_DEBUG(lg, "context {} {:>{}}", large, i, 7);
    FAULTLINE_ERROR(lg, "error {n}", kv<"n">(i));
  }
}

} // namespace

TEST_CASE("a round that runs out of memory anywhere loses what it was at, counts it, and the next goes on") {
  bool enough = false;
  int failed = 0;
  for (int allocations = 0; !enough; ++allocations) {
    const auto target = std::make_shared<counting_handler>();
    const auto second = std::make_shared<counting_handler>();
    std::size_t reports = 0;
    runtime rt({.default_target = target,
                .argument_bytes = 40'000,
                .flusher = flusher_mode::manual,
                .storm_dumps_per_second = 1,
                .storm_burst = 1,
                .on_error = [&](const error_report&) { ++reports; }});
    logger lg = rt.get_logger();
    lg.add_handler(target);
    log_all_kinds(lg, second);
    {
      const memory_for so_much(allocations);
      (void)rt.run_once();
      enough = !so_much.is_used_up();
    }
    failed += reports > 0 ? 1 : 0;
    REQUIRE(rt.flush());
    REQUIRE(closes(rt.stats()));
    const std::size_t before = target->count;
    FAULTLINE_INFO(lg, "well again");
    REQUIRE(rt.flush());
    REQUIRE(target->count == before + 1);
  }
  CHECK(failed > 5);
}

TEST_CASE("a stop that runs out of memory says that not all is written") {
  const test::standing_clock clock; // one storm, however long it takes
  bool enough = false;
  int failed = 0;
  for (int allocations = 0; !enough; ++allocations) {
    runtime rt({.default_target = std::make_shared<counting_handler>(),
                .flusher = flusher_mode::manual,
                .storm_dumps_per_second = 1,
                .storm_burst = 1,
                .on_error = [](const error_report&) {}});
    const logger lg = rt.get_logger();
    for (int i = 0; i < 2; ++i) { // the second one's context is suppressed, which the stop has to tell
      const error_scope scope(lg);
      FAULTLINE_ERROR(lg, "error");
    }
    REQUIRE(rt.flush());
    const memory_for so_much(allocations);
    failed += rt.stop() ? 0 : 1;
    enough = !so_much.is_used_up();
  }
  CHECK(failed > 0);
}

TEST_CASE("a thread's name that finds no memory is none") {
  const auto names = std::make_unique<detail::thread_names>();
  {
    const memory_for nothing(0);
    CHECK(names->enter("a name") == 0);
  }
  CHECK(names->find(names->enter("a name")) == "a name");
}

TEST_CASE("a round that has no memory to tell of a storm goes on, and the next one tells") {
  const test::standing_clock clock;
  const auto target = make_memory_handler();
  runtime rt({.default_target = target,
              .flusher = flusher_mode::manual,
              .storm_dumps_per_second = 1000,
              .storm_burst = 1,
              .on_error = [](const error_report&) {}});
  const logger lg = rt.get_logger();
  for (int i = 0; i < 2; ++i) {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "error");
  }
  (void)rt.run_once();
  REQUIRE(target->messages().size() == 2);                     // the storm is on, and not told of
  test::standing_clock::advance(std::chrono::milliseconds(5)); // a token, so that it is over
  {
    const memory_for nothing(0);
    CHECK_FALSE(rt.run_once());
  }
  REQUIRE(rt.flush());
  CHECK(target->messages().back().starts_with("storm: the context of 1 failures"));
  CHECK(closes(rt.stats()));
}
