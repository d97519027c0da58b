#include "format/timestamp.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace faultline::detail {
namespace {

constexpr std::int64_t microseconds_per_second = 1'000'000;
constexpr std::int64_t first_second = -62'135'596'800; // 0001-01-01T00:00:00Z
constexpr std::int64_t last_second = 253'402'300'799;  // 9999-12-31T23:59:59Z

/// Microseconds since the epoch, held within the years 1 to 9999, for which the texts have room.
std::int64_t microseconds_of(wall_time t) noexcept {
  const std::int64_t count = std::chrono::floor<std::chrono::microseconds>(t.time_since_epoch()).count();
  return std::clamp(count, first_second * microseconds_per_second,
                    last_second * microseconds_per_second + microseconds_per_second - 1);
}

std::int64_t second_of(std::int64_t microseconds) noexcept {
  const std::int64_t second = microseconds / microseconds_per_second;
  return microseconds % microseconds_per_second < 0 ? second - 1 : second;
}

constexpr auto two_digits = [] {
  std::array<char, 200> table{};
  for (std::size_t i = 0; i < 100; ++i) {
    table[2 * i] = static_cast<char>('0' + i / 10);
    table[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return table;
}();

/// Writes `value` in two digits; the precondition is that it has no more.
void put_two_digits(char* at, unsigned value) noexcept {
  std::memcpy(at, &two_digits[2 * std::size_t{value}], 2);
}

void put_fraction(char* at, std::int64_t microseconds) noexcept {
  const auto value = static_cast<unsigned>(microseconds);
  put_two_digits(at, value / 10'000);
  put_two_digits(at + 2, value / 100 % 100);
  put_two_digits(at + 4, value % 100);
}

/// Broken-down UTC. Not gmtime_r: it takes the C library's time zone lock, which a fork may leave locked.
std::tm broken_down(std::int64_t second) noexcept {
  using namespace std::chrono;
  const sys_seconds time{seconds(second)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const auto within = static_cast<int>((time - day).count());
  std::tm result{};
  result.tm_year = static_cast<int>(date.year()) - 1900;
  result.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  result.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
  result.tm_hour = within / 3600;
  result.tm_min = within / 60 % 60;
  result.tm_sec = within % 60;
  result.tm_wday = static_cast<int>(weekday(day).c_encoding());
  result.tm_yday = static_cast<int>((day - sys_days(date.year() / January / 1)).count());
  return result;
}

/// One conversion's text, appended to the cache as far as there is room.
void append_text(time_format::cache& c, std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), c.text.size() - c.size);
  std::copy_n(text.data(), size, c.text.data() + c.size);
  c.size += size;
}

void append_conversion(time_format::cache& c, char conversion, const std::tm& time) {
  switch (conversion) {
  case '%': append_text(c, "%"); return;
  case 'z': append_text(c, "+0000"); return;
  case 'Z': append_text(c, "UTC"); return;
  default: break;
  }
  const char format[] = {'{', ':', '%', conversion, '}'};
  char text[64];
  const auto end = fmt::vformat_to_n(text, sizeof text, std::string_view(format, sizeof format),
                                     fmt::make_format_args(time));
  append_text(c, {text, std::min(end.size, sizeof text)});
}

} // namespace

std::string_view iso_time::text(wall_time t) noexcept {
  const std::int64_t now = microseconds_of(t);
  if (now < begin_ || now - begin_ >= microseconds_per_second) {
    const std::int64_t second = second_of(now);
    render_second(second);
    begin_ = second * microseconds_per_second;
  }
  put_fraction(text_.data() + 20, now - begin_);
  return {text_.data(), text_.size()};
}

void iso_time::render_second(std::int64_t second) noexcept {
  const std::tm time = broken_down(second);
  char* const at = text_.data();
  const auto year = static_cast<unsigned>(time.tm_year + 1900);
  put_two_digits(at, year / 100);
  put_two_digits(at + 2, year % 100);
  at[4] = '-';
  put_two_digits(at + 5, static_cast<unsigned>(time.tm_mon + 1));
  at[7] = '-';
  put_two_digits(at + 8, static_cast<unsigned>(time.tm_mday));
  at[10] = 'T';
  put_two_digits(at + 11, static_cast<unsigned>(time.tm_hour));
  at[13] = ':';
  put_two_digits(at + 14, static_cast<unsigned>(time.tm_min));
  at[16] = ':';
  put_two_digits(at + 17, static_cast<unsigned>(time.tm_sec));
  at[19] = '.';
  at[26] = 'Z';
}

time_format::time_format(std::string_view specification) : specification_(specification) {
  std::size_t fractions = 0;
  for (std::size_t at = 0; at < specification_.size(); ++at) {
    if (specification_[at] != '%') continue;
    if (++at == specification_.size()) throw std::invalid_argument("the time's specification ends in '%'");
    const char conversion = specification_[at];
    if (conversions.find(conversion) == std::string_view::npos)
      throw std::invalid_argument("'%" + std::string(1, conversion) +
                                  "' is no conversion of a time; those after '%' are " +
                                  std::string(conversions));
    if (conversion == 'f' && ++fractions > max_fractions)
      throw std::invalid_argument("a time has at most four '%f'");
  }
  // A Wednesday in September has the longest names, so no other time needs more room.
  constexpr std::int64_t longest = 1'727'265'599; // 2024-09-25T11:59:59Z
  cache sample;
  render_second(longest, sample);
  if (sample.size == sample.text.size())
    throw std::invalid_argument("the time's text is longer than 255 bytes");
}

std::string_view time_format::text(wall_time t, cache& c) const {
  const std::int64_t now = microseconds_of(t);
  if (c.owner != this || now < c.begin || now - c.begin >= microseconds_per_second) {
    const std::int64_t second = second_of(now);
    render_second(second, c);
    c.begin = second * microseconds_per_second;
    c.owner = this;
  }
  for (std::size_t i = 0; i < c.fractions; ++i) put_fraction(c.text.data() + c.fraction_at[i], now - c.begin);
  return {c.text.data(), c.size};
}

void time_format::render_second(std::int64_t second, cache& c) const {
  const std::tm time = broken_down(second);
  c.owner = nullptr; // half made until it is whole, should fmt throw
  c.size = 0;
  c.fractions = 0;
  for (std::size_t at = 0; at < specification_.size(); ++at) {
    if (specification_[at] != '%') {
      append_text(c, {&specification_[at], 1});
    } else if (const char conversion = specification_[++at]; conversion != 'f') {
      append_conversion(c, conversion, time);
    } else {
      if (c.text.size() - c.size >= 6) c.fraction_at[c.fractions++] = c.size; // else it is refused: full
      append_text(c, "000000");
    }
  }
}

} // namespace faultline::detail
