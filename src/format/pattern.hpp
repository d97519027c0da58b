// The pattern language of the text formatter, compiled once into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/fixed_text.hpp"
#include "format/timestamp.hpp"

namespace faultline::detail {

/// What a piece of a pattern stands for. The order is that of the names in pattern.cpp.
enum class field : std::uint8_t {
  literal,
  time,
  level,
  logger,
  thread,
  process,
  file,
  path,
  line,
  function,
  message,
  exception,
  scope,
  trace_id,
  span_id,
  fields,
  dump_id,
  thread_name,
};

/// True for the fields that are formatted as integers.
[[nodiscard]] constexpr bool is_integer(field f) noexcept {
  return f == field::thread || f == field::process || f == field::line || f == field::dump_id;
}

/// One piece: literal text, or a field with the work that its specification allows to be done beforehand.
struct pattern_piece {
  field kind = field::literal;
  std::string text;      ///< the literal's text; for a field with a specification, "{:SPEC}"
  char padding = 0;      ///< '<' or '>' where the specification is a mere width, else 0
  std::size_t width = 0; ///< that width
  std::vector<std::string>
      levels; ///< for `level`: the finished text of each level, literals around it included
  std::vector<fixed_text> ready;   ///< the literal alone, or what `levels` has
  std::optional<time_format> time; ///< for `time` with a specification

  [[nodiscard]] bool has_specification() const noexcept { return !text.empty() || time.has_value(); }
};

/// A compiled pattern; the language is documented at `make_text_formatter`. Immutable.
class pattern {
 public:
  /// Throws `configuration_error` that names the column, counted in characters from 1. Beyond the language's
  /// own rules it refuses an empty pattern, invalid UTF-8, control characters other than the tab and the
  /// escape character, and widths above `max_width`.
  explicit pattern(std::string_view text);

  static constexpr std::size_t max_width = 1000;

  [[nodiscard]] const std::vector<pattern_piece>& pieces() const noexcept { return pieces_; }
  [[nodiscard]] bool has(field kind) const noexcept;

 private:
  std::vector<pattern_piece> pieces_;
};

} // namespace faultline::detail
