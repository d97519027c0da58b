#include "base/clock.hpp"

#include <chrono>
#include <thread>

#include "support/catch.hpp"

using namespace faultline::detail;
using namespace std::chrono;

TEST_CASE("ticks become wall time within a millisecond, for either source") {
  for (const auto source : {detect_clock_source(), clock_source::monotonic}) {
    tick_converter converter(source);
    for (int i = 0; i < 5; ++i) {
      const auto until = steady_clock::now() + milliseconds(3);
      while (steady_clock::now() < until) {
      }
      converter.refresh();
      const auto before = system_clock::now();
      const auto converted = converter.to_wall(read_ticks(source));
      const auto after = system_clock::now();
      CHECK(converted > before - milliseconds(1));
      CHECK(converted < after + milliseconds(1));
    }
  }
}

TEST_CASE("ticks that no reading explains are of the present, and no duration is negative") {
  for (const auto source : {detect_clock_source(), clock_source::monotonic}) {
    const tick_converter converter(source);
    const std::uint64_t now = converter.ticks();
    for (const std::uint64_t unknown : {now / 2, now * 2}) {
      CHECK(converter.to_wall(unknown) == converter.to_wall(now));
      CHECK(converter.to_duration(unknown, now) == nanoseconds(0));
    }
    CHECK(converter.to_duration(now, now - 1000) == nanoseconds(0));
  }
}

TEST_CASE("durations in ticks become nanoseconds within one part in a hundred") {
  const auto source = detect_clock_source();
  const tick_converter converter(source);
  const auto start = steady_clock::now();
  const std::uint64_t from = read_ticks(source);
  while (steady_clock::now() - start < milliseconds(20)) {
  }
  const std::uint64_t to = read_ticks(source);
  const double real = duration<double>(steady_clock::now() - start).count();
  const double converted = duration<double>(converter.to_duration(from, to)).count();
  CHECK(converted == Approx(real).epsilon(0.01));
}
