// Levels of records, as in Python's logging package, with `trace` below and `off` above.
#pragma once

#include <cstdint>
#include <string_view>

#include <faultline/export.hpp>

namespace faultline {

/// How grave a record is. `off` is no record's level: it is a threshold that nothing reaches.
enum class level : std::uint8_t { trace, debug, info, warning, error, critical, off };

namespace detail {
inline constexpr std::string_view level_names[] = {"TRACE", "DEBUG",    "INFO", "WARNING",
                                                   "ERROR", "CRITICAL", "OFF"};
}

/// The level's name in capitals, "DEBUG" for `level::debug`; "OFF" for `off`. Any thread, no cost.
[[nodiscard]] constexpr std::string_view to_string(level l) noexcept {
  return detail::level_names[static_cast<unsigned>(l) < 7 ? static_cast<unsigned>(l) : 6];
}

/// The level of that name in capitals or in lower case; throws `configuration_error` for any other text.
/// Any thread.
[[nodiscard]] FAULTLINE_API level parse_level(std::string_view name);

namespace detail {

/// Whether statements of that level (`off`: of one known at run time) are compiled when
/// FAULTLINE_ACTIVE_LEVEL is `floor`.
[[nodiscard]] constexpr bool compiled_in(level l, int floor) noexcept {
  return static_cast<int>(l) >= floor && floor < static_cast<int>(level::off);
}

/// One bit per level, so that "does this level concern anyone" is one AND. `off` has no bit.
using level_mask = std::uint8_t;

[[nodiscard]] constexpr level_mask bit_of(level l) noexcept {
  return l < level::off ? static_cast<level_mask>(1U << static_cast<unsigned>(l)) : level_mask{0};
}

/// The bits of `l` and of every level above it.
[[nodiscard]] constexpr level_mask bits_from(level l) noexcept {
  return l < level::off ? static_cast<level_mask>(0x3FU & (0x3FU << static_cast<unsigned>(l)))
                        : level_mask{0};
}

} // namespace detail
} // namespace faultline
