#include "format/replacement_fields.hpp"

#include <algorithm>
#include <cstddef>

namespace faultline::detail {

int parse_index(std::string_view digits) noexcept {
  int number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return -1;
    number = std::min(number * 10 + (c - '0'), 9999);
  }
  return number;
}

format_piece format_pieces::field() noexcept {
  // rest_ begins behind the opening brace. The closing one is found by depth, for "{:{}}".
  std::size_t end = 0;
  int depth = 1;
  for (; end < rest_.size(); ++end) {
    if (rest_[end] == '{') ++depth;
    if (rest_[end] == '}' && --depth == 0) break;
  }
  const std::string_view inside = rest_.substr(0, end);
  rest_.remove_prefix(end < rest_.size() ? end + 1 : end);

  format_piece piece;
  const std::size_t colon = inside.find(':');
  const std::string_view name = inside.substr(0, colon);
  if (colon != std::string_view::npos) piece.specification = inside.substr(colon + 1);
  piece.index = name.empty() ? next_index_++ : parse_index(name);
  if (piece.index < 0) piece.name = name;
  piece.next_index = next_index_;
  for (std::size_t at = piece.specification.find('{'); at != std::string_view::npos;
       at = piece.specification.find('{', at + 1)) {
    piece.dynamic = true;
    if (piece.specification.substr(at + 1, 1) == "}") ++next_index_;
  }
  return piece;
}

std::optional<format_piece> format_pieces::next() noexcept {
  if (rest_.empty()) return std::nullopt;
  format_piece piece;
  piece.is_literal = true;
  const std::size_t brace = rest_.find_first_of("{}");
  if (brace == std::string_view::npos) {
    piece.literal = rest_;
    rest_ = {};
  } else if (brace + 1 < rest_.size() && rest_[brace + 1] == rest_[brace]) {
    piece.literal = rest_.substr(0, brace + 1); // "{{" and "}}" stand for one brace
    rest_.remove_prefix(brace + 2);
  } else if (brace > 0) {
    piece.literal = rest_.substr(0, brace);
    rest_.remove_prefix(brace);
  } else {
    rest_.remove_prefix(1);
    return field();
  }
  return piece;
}

std::string_view specification_of(std::string_view format, int index, std::string_view name) noexcept {
  format_pieces pieces(format);
  while (const auto piece = pieces.next())
    if (!piece->is_literal && (piece->index == index || (!name.empty() && piece->name == name)))
      return piece->dynamic ? std::string_view{} : piece->specification;
  return {};
}

} // namespace faultline::detail
