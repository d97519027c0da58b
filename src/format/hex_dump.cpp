#include "format/hex_dump.hpp"

#include <cstddef>

namespace faultline::detail {
namespace {

struct hex_style {
  std::string_view digits;
  bool spaced;
  bool characters;
  bool offsets;
};

void append_digits(std::size_t value, int count, const hex_style& style, fmt::memory_buffer& out) {
  for (int shift = 4 * (count - 1); shift >= 0; shift -= 4)
    out.push_back(style.digits[value >> static_cast<unsigned>(shift) & 0xFU]);
}

void append_row(std::string_view row, const hex_style& style, fmt::memory_buffer& out) {
  bool first = true;
  for (const char byte : row) {
    if (!first && style.spaced) out.push_back(' ');
    first = false;
    append_digits(static_cast<unsigned char>(byte), 2, style, out);
  }
  if (!style.characters) return;
  out.push_back(' ');
  out.push_back('|');
  for (const char byte : row) out.push_back(byte >= ' ' && byte <= '~' ? byte : '.');
  out.push_back('|');
}

} // namespace

void append_hex(std::string_view bytes, std::string_view specification, fmt::memory_buffer& out) {
  constexpr std::size_t row_bytes = 16;
  const auto has = [specification](char c) { return specification.find(c) != std::string_view::npos; };
  const hex_style style{has('X') ? "0123456789ABCDEF" : "0123456789abcdef", !has('s'), has('a'), has('o')};
  if (!style.characters && !style.offsets) return append_row(bytes, style, out);
  for (std::size_t at = 0; at < bytes.size(); at += row_bytes) {
    if (at > 0) out.push_back(' ');
    if (style.offsets) {
      append_digits(at, 4, style, out); // no argument is longer than 65,535 bytes
      out.push_back(':');
      out.push_back(' ');
    }
    append_row(bytes.substr(at, row_bytes), style, out);
  }
}

} // namespace faultline::detail
