#include <chrono>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;

namespace {

std::string refused(runtime_options options) {
  try {
    const runtime rt(std::move(options));
    return "accepted";
  } catch (const configuration_error& e) {
    return e.what();
  }
}

} // namespace

TEST_CASE("wrong runtime options throw an error that names option, value and reason") {
  CHECK(refused({.buffer_bytes = 0}) == "buffer_bytes: '0': must be from 4096 to 16777216");
  CHECK(refused({.buffer_bytes = 5000}) == "buffer_bytes: '5000': must be a multiple of 4096");
  CHECK(refused({.buffers_per_thread = 1}) == "buffers_per_thread: '1': must be from 2 to 256");
  CHECK(refused({.clock = static_cast<clock_kind>(9)}) == "clock: '9': not a clock kind");
  CHECK(refused({.outbox_bytes = 5000}) == "outbox_bytes: '5000': must be a power of two");
  CHECK(refused({.argument_bytes = 1}) == "argument_bytes: '1': must be from 16 to 65535");
  CHECK(refused({.flusher = static_cast<flusher_mode>(5)}) == "flusher: '5': not a flusher mode");
  CHECK(refused({.busy_interval = std::chrono::nanoseconds(-1)}) ==
        "busy_interval: '-1 ns': must be from 0 to one minute");
  CHECK(refused({.on_outbox_full = static_cast<outbox_policy>(7)}) == "on_outbox_full: '7': not a policy");
  CHECK(refused({.flusher = flusher_mode::manual, .on_outbox_full = outbox_policy::block}) ==
        "on_outbox_full: 'block': a manual flusher would be waited for in vain");
  CHECK(refused({.storm_burst = 0}) == "storm_burst: '0': must be from 1 to 4294967295");
  CHECK(refused({.stats_interval = std::chrono::hours(25)}) ==
        "stats_interval: '90000000000000 ns': must be from 0 to one day");
  CHECK(refused({.stats_interval = std::chrono::nanoseconds(-1)}) ==
        "stats_interval: '-1 ns': must be from 0 to one day");
}

TEST_CASE("run_once belongs to the manual flusher") {
  runtime rt;
  CHECK_THROWS_AS(rt.run_once(), std::logic_error);
}

TEST_CASE("extreme sizes work") {
  for (const auto& options :
       {runtime_options{.buffer_bytes = 4096, .outbox_bytes = 4096},
        runtime_options{.buffer_bytes = 16U << 20, .buffers_per_thread = 64, .outbox_bytes = 16U << 20}}) {
    test::manual_runtime rt(options);
    const logger lg = rt.get();
    for (int i = 0; i < 100; ++i) {
      const error_scope scope(lg);
      FAULTLINE_DEBUG(lg, "{}", std::string(2000, 'x'));
      FAULTLINE_ERROR(lg, "{}", i);
      rt.write_all();
    }
    CHECK(rt.dumps().size() == 100);
    CHECK(test::closes(rt.stats()));
  }
}
