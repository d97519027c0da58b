// The replacement fields of a format string, found once for each site.
#pragma once

#include <optional>
#include <string_view>

namespace faultline::detail {

/// One stretch of a format string: literal text, or one replacement field.
struct format_piece {
  std::string_view literal;       ///< text up to a field or up to and with the first brace of a pair
  int index = -1;                 ///< the field's argument, -1 for a literal
  std::string_view specification; ///< what stands behind the colon
  bool dynamic = false;           ///< the specification refers to further arguments, or the field to a name
};

/// Walks over a format string that fmt has checked (https://fmt.dev/9.1.0/syntax.html).
class format_pieces {
 public:
  explicit format_pieces(std::string_view format) noexcept : rest_(format) {}

  std::optional<format_piece> next() noexcept;

 private:
  format_piece field() noexcept;

  std::string_view rest_;
  int next_index_ = 0;
};

/// The specification that argument `index` has where it first appears; empty if it has none or a dynamic one.
[[nodiscard]] std::string_view specification_of(std::string_view format, int index) noexcept;

} // namespace faultline::detail
