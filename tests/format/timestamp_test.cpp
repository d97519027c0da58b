#include "format/timestamp.hpp"

#include <ctime>
#include <stdexcept>

#include "support/catch.hpp"
#include "support/sample_records.hpp"

using namespace faultline::detail;
using namespace std::chrono_literals;
using faultline::test::sample_time;

namespace {

wall_time epoch_plus(std::chrono::nanoseconds d) {
  return wall_time(std::chrono::duration_cast<wall_time::duration>(d));
}

std::string iso(wall_time t) {
  iso_time time;
  return std::string(time.text(t));
}

std::string with(std::string_view specification, wall_time t = sample_time()) {
  time_format::cache cache;
  return std::string(time_format(specification).text(t, cache));
}

} // namespace

TEST_CASE("a time is shown in ISO 8601 with microseconds, rounded down") {
  CHECK(iso(sample_time()) == "2024-05-01T12:34:56.000789Z");
  CHECK(iso(epoch_plus(0s)) == "1970-01-01T00:00:00.000000Z");
  CHECK(iso(epoch_plus(999'999'999ns)) == "1970-01-01T00:00:00.999999Z");
  CHECK(iso(epoch_plus(951'782'400s)) == "2000-02-29T00:00:00.000000Z");
}

TEST_CASE("a time before the epoch is rounded down, not towards zero") {
  CHECK(iso(epoch_plus(-1ns)) == "1969-12-31T23:59:59.999999Z");
  CHECK(iso(epoch_plus(-1s)) == "1969-12-31T23:59:59.000000Z");
  CHECK(iso(epoch_plus(-1'500ms)) == "1969-12-31T23:59:58.500000Z");
}

TEST_CASE("the extremes of the clock have a text") {
  CHECK(iso(wall_time::max()).size() == iso_time::bytes);
  CHECK(iso(wall_time::min()).size() == iso_time::bytes);
}

TEST_CASE("the remembered second is used for its own second only") {
  iso_time time;
  CHECK(time.text(epoch_plus(10s)) == "1970-01-01T00:00:10.000000Z");
  CHECK(time.text(epoch_plus(10s + 999'999us)) == "1970-01-01T00:00:10.999999Z");
  CHECK(time.text(epoch_plus(11s)) == "1970-01-01T00:00:11.000000Z");
  CHECK(time.text(epoch_plus(10s + 999'999us)) == "1970-01-01T00:00:10.999999Z");
  CHECK(time.text(epoch_plus(-1us)) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("a specification formats as strftime does, in UTC") {
  CHECK(with("%H:%M:%S.%f") == "12:34:56.000789");
  CHECK(with("%Y-%m-%d %T") == "2024-05-01 12:34:56");
  CHECK(with("%a %A %b %B %d %j %y %e") == "Wed Wednesday May May 01 122 24  1");
  CHECK(with("%I %p %Z %z %%") == "12 PM UTC +0000 %");
  CHECK(with("%f/%f") == "000789/000789");
  CHECK(with("no conversion") == "no conversion");
}

TEST_CASE("every conversion that is offered agrees with strftime") {
  for (const char c : time_format::conversions) {
    if (c == 'f' || c == 'Z') continue; // not strftime's; "GMT" there
    const char specification[] = {'%', c, '\0'};
    for (const auto offset : {0h, 24h * 240, 24h * 365 + 13h}) {
      const wall_time t = sample_time() + offset;
      const std::time_t seconds = std::chrono::system_clock::to_time_t(t);
      std::tm broken_down{};
      ::gmtime_r(&seconds, &broken_down);
      char expected[128];
      REQUIRE(std::strftime(expected, sizeof expected, specification, &broken_down) > 0);
      CHECK(with(specification, t) == expected);
    }
  }
}

TEST_CASE("a wrong time specification is refused with a reason") {
  CHECK_THROWS_AS(time_format("%H:%"), std::invalid_argument);
  CHECK_THROWS_WITH(time_format("%Q"), faultline::test::contains("%Q"));
  CHECK_THROWS_AS(time_format("%n"), std::invalid_argument); // a line end
  CHECK_THROWS_AS(time_format("%Ey"), std::invalid_argument);
  CHECK_THROWS_AS(time_format("%f%f%f%f%f"), std::invalid_argument);
  CHECK_THROWS_AS(time_format(std::string(256, 'x')), std::invalid_argument);
  CHECK_NOTHROW(time_format(std::string(255, 'x')));
}

TEST_CASE("one cache serves formats in turn") {
  const time_format hours("%H.%f");
  const time_format minutes("%M.%f");
  time_format::cache cache;
  for (int i = 0; i < 2; ++i) {
    CHECK(hours.text(sample_time(), cache) == "12.000789");
    CHECK(minutes.text(sample_time(), cache) == "34.000789");
    CHECK(minutes.text(sample_time() + 4s, cache) == "35.000789");
  }
}

TEST_CASE("a cache that is given times to and fro shows each") {
  const time_format format("%T.%f");
  time_format::cache cache;
  for (const auto t : {10s, 10s, 11s, 10s, 9s, -1s, 3600s})
    CHECK(format.text(epoch_plus(t + 5us), cache) == iso(epoch_plus(t + 5us)).substr(11, 15));
}

TEST_CASE("a specification whose microseconds have no room is refused, and the longest that has is whole") {
  for (std::size_t before = 240; before < 260; ++before) {
    const std::string specification = std::string(before, 'x') + "%f";
    if (before + 6 < time_format::max_bytes)
      CHECK(with(specification) == std::string(before, 'x') + "000789");
    else
      CHECK_THROWS_AS(time_format(specification), std::invalid_argument);
  }
}
