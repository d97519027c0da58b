#include "runtime/setting_text.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace faultline::detail {
namespace {

/// Takes the digits at the start of `text` away; empty when there are none or they are too many.
std::optional<std::size_t> take_number(std::string_view& text, int base = 10) noexcept {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

} // namespace

bool parse_bool(std::string_view key, std::string_view text) {
  return parse_choice<bool>(key, text, {{"true", true}, {"false", false}});
}

std::size_t parse_size(std::string_view key, std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  const unsigned shift = rest == "MiB" ? 20 : rest == "KiB" ? 10 : 0;
  const bool has_known_unit = rest.empty() || shift != 0;
  if (!number || !has_known_unit || *number > std::numeric_limits<std::size_t>::max() >> shift)
    throw configuration_error(key, text, "a whole number, which may end in KiB or MiB");
  return *number << shift;
}

unsigned parse_mode(std::string_view key, std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest, 8);
  if (!number || !rest.empty() || *number > 0777)
    throw configuration_error(key, text, "permission bits in octal, such as 0640");
  return static_cast<unsigned>(*number);
}

std::chrono::nanoseconds parse_time(std::string_view key, std::string_view text) {
  constexpr std::size_t most = 1'000'000'000; // none of the three units overflows
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (number && *number <= most) {
    const auto count = static_cast<std::int64_t>(*number);
    if (rest == "us") return std::chrono::microseconds(count);
    if (rest == "ms") return std::chrono::milliseconds(count);
    if (rest == "s") return std::chrono::seconds(count);
  }
  throw configuration_error(key, text, "a whole number and its unit, us, ms or s, such as 10ms");
}

level parse_level(std::string_view key, std::string_view text) {
  try {
    return faultline::parse_level(text);
  } catch (const configuration_error&) {
    throw configuration_error(key, text, "one of trace, debug, info, warning, error, critical, off");
  }
}

} // namespace faultline::detail
