// How long the flusher rests, round after round.
#include "support/catch.hpp"

#include "flusher/rest_schedule.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using faultline::detail::rest_schedule;
using outcome = faultline::detail::round::outcome;

namespace {

constexpr outcome quiet{};
constexpr outcome worked{.worked = true};
constexpr outcome active{.active = true};
constexpr outcome busy{.worked = true, .busy = true};

runtime_options options() {
  runtime_options o;
  o.busy_interval = 1600us;
  o.idle_interval = 100ms;
  return o;
}

/// The rest after the last of so many such rounds.
std::chrono::nanoseconds after(rest_schedule& rests, const outcome& each, int rounds) {
  std::chrono::nanoseconds rest{};
  for (int i = 0; i < rounds; ++i) rest = rests.after(each);
  return rest;
}

} // namespace

TEST_CASE("while there is work the flusher rests its busy interval, and for fifty rounds after it") {
  const runtime_options o = options();
  rest_schedule rests(o);
  CHECK(after(rests, worked, 1000) == o.busy_interval);
  CHECK(after(rests, quiet, 50) == o.busy_interval);
}

TEST_CASE("with nothing to do its rests double up to the idle interval, and work brings them back") {
  const runtime_options o = options();
  rest_schedule rests(o);
  (void)after(rests, quiet, 50);
  CHECK(rests.after(quiet) == 2 * o.busy_interval);
  CHECK(rests.after(quiet) == 4 * o.busy_interval);
  CHECK(after(rests, quiet, 10) == o.idle_interval);
  CHECK(rests.after(worked) == o.busy_interval);
  CHECK(after(rests, quiet, 50) == o.busy_interval);
}

TEST_CASE("while threads log, though nothing that is to be written, its rests end at ten milliseconds") {
  const runtime_options o = options();
  rest_schedule rests(o);
  CHECK(after(rests, active, 100) == 10ms);
  CHECK(after(rests, quiet, 10) == o.idle_interval);
  CHECK(rests.after(active) == 10ms);
}

TEST_CASE("after a round that found a thread near its bound there is no rest, and 64 short ones") {
  const runtime_options o = options();
  rest_schedule rests(o);
  CHECK(rests.after(busy) == 0ns);
  CHECK(after(rests, worked, 32) == o.busy_interval / 16);
  CHECK(after(rests, quiet, 32) == o.busy_interval / 16);
  CHECK(rests.after(worked) == o.busy_interval);
  CHECK(rests.after(busy) == 0ns);
  CHECK(rests.after(quiet) == o.busy_interval / 16);
}

TEST_CASE("a spinning flusher never rests") {
  runtime_options o = options();
  o.flusher = flusher_mode::spinning;
  rest_schedule rests(o);
  CHECK(after(rests, quiet, 1000) == 0ns);
}

TEST_CASE("a busy interval of zero does not keep a flusher with nothing to do from resting") {
  runtime_options o = options();
  o.busy_interval = 0ns;
  rest_schedule rests(o);
  CHECK(after(rests, quiet, 100) == o.idle_interval);
}
