// The replacement fields of a format string, found once for each site.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace faultline::detail {

/// The number that the digits say, at most 9999; -1 for a name.
[[nodiscard]] int parse_index(std::string_view digits) noexcept;

/// One stretch of a format string: literal text, or one replacement field.
struct format_piece {
  std::string_view literal; ///< text up to a field or up to and with the first brace of a pair
  bool is_literal = false;
  int index = -1;                 ///< the field's argument; -1 for a literal, and for a field with a name
  std::string_view name;          ///< of a field that has one
  int next_index = 0;             ///< of the first field inside the specification that names no argument
  std::string_view specification; ///< what stands behind the colon
  bool dynamic = false;           ///< the specification holds fields of its own, each a width or a precision
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

/// The specification with its own fields replaced: `width_of(index)` gives each one's number. `next_index` is
/// the index of the first field in it that names none.
template <class WidthOf>
std::string resolve(std::string_view specification, int next_index, WidthOf width_of) {
  std::string out;
  for (std::size_t at = 0; at < specification.size(); ++at) {
    if (specification[at] != '{') {
      out += specification[at];
      continue;
    }
    const std::size_t close = specification.find('}', at);
    const std::string_view name = specification.substr(at + 1, close - at - 1);
    int index = next_index;
    if (name.empty())
      ++next_index;
    else
      index = parse_index(name);
    out += std::to_string(width_of(index));
    at = close;
  }
  return out;
}

/// The specification that argument `index` has where it first appears, by its number or by `name`, unless
/// that is empty; empty if it has none or a dynamic one.
[[nodiscard]] std::string_view specification_of(std::string_view format, int index,
                                                std::string_view name = {}) noexcept;

} // namespace faultline::detail
