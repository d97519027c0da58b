// Values of settings as text.
#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <faultline/configuration_error.hpp>
#include <faultline/level.hpp>

namespace faultline::detail {

// Each throws `configuration_error` with the key, the text and what would be allowed.

[[nodiscard]] bool parse_bool(std::string_view key, std::string_view text);
/// A whole number, in decimal; with KiB or MiB behind it, so many of these.
[[nodiscard]] std::size_t parse_size(std::string_view key, std::string_view text);
/// Digits from 0 to 7.
[[nodiscard]] unsigned parse_mode(std::string_view key, std::string_view text);
/// A whole number and its unit: us, ms or s.
[[nodiscard]] std::chrono::nanoseconds parse_time(std::string_view key, std::string_view text);
/// The level of that name, in capitals or in lower case.
[[nodiscard]] level parse_level(std::string_view key, std::string_view text);

/// The value of one of these names.
template <class T>
[[nodiscard]] T parse_choice(std::string_view key, std::string_view text,
                             std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    allowed += (allowed.empty() ? "one of " : ", ") + std::string(name);
  }
  throw configuration_error(key, text, allowed);
}

} // namespace faultline::detail
