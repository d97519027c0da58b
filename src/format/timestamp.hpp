// Wall times as text, UTC. The text of a second is made once and its fraction patched into it: consecutive
// records share their second nearly always.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace faultline::detail {

using wall_time = std::chrono::system_clock::time_point;

/// Times in ISO 8601 with microseconds, "2024-05-01T12:34:56.000789Z". Cheap to make: a formatter keeps one
/// on the stack for each call. Years outside 1 to 9999 are shown as the nearest of these.
class iso_time {
 public:
  static constexpr std::size_t bytes = 27;

  /// The text of `t`, rounded down; valid until the next call. No allocation, no lock.
  [[nodiscard]] std::string_view text(wall_time t) noexcept;

 private:
  void render_second(std::int64_t second) noexcept;

  std::int64_t begin_ = std::numeric_limits<std::int64_t>::max(); ///< of the second in text_, in microseconds
  std::array<char, bytes> text_;
};

/// A strftime-like format: `%f` is the microseconds in six digits; the conversions are those of
/// `conversions`, in English whatever the locale, and take neither locks nor the time zone (strftime itself
/// would).
class time_format {
 public:
  static constexpr std::size_t max_bytes = 256;
  static constexpr std::size_t max_fractions = 4;
  static constexpr std::string_view conversions = "aAbBcCdDeFgGhHIjmMprRStTuUVwWxXyYzZf%";

  /// What one format call remembers between records. Made empty, kept on the stack.
  struct cache {
    const time_format* owner = nullptr;
    std::int64_t begin = 0; ///< of the second in `text`, in microseconds
    std::size_t size = 0;
    std::size_t fractions = 0;
    std::array<std::size_t, max_fractions> fraction_at;
    std::array<char, max_bytes> text;
  };

  /// Throws std::invalid_argument with the reason for a specification that cannot be used.
  explicit time_format(std::string_view specification);

  /// The text of `t`, rounded down to the microsecond; a view into `c`. No allocation.
  [[nodiscard]] std::string_view text(wall_time t, cache& c) const;

 private:
  void render_second(std::int64_t second, cache& c) const;

  std::string specification_;
};

} // namespace faultline::detail
