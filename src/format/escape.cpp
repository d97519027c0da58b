#include "format/escape.hpp"

#include <algorithm>

namespace faultline::detail {
namespace {

constexpr bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0U) == 0x80U; }

/// The length of the UTF-8 sequence at the start of `text`, whose first byte is not ASCII; 0 where it is
/// invalid (overlong, a surrogate, beyond U+10FFFF, cut off) or stands for a C1 control, U+2028 or U+2029.
std::size_t plain_sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : static_cast<unsigned char>(0);
  };
  const unsigned char first = byte(0);
  const unsigned char second = byte(1);
  if (!is_continuation(second)) return 0;
  if (first >= 0xC2 && first <= 0xDF) return first == 0xC2 && second < 0xA0 ? 0 : 2;
  if (!is_continuation(byte(2))) return 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && second < 0xA0) return 0; // overlong
    if (first == 0xED && second > 0x9F) return 0; // a surrogate
    const bool separator = first == 0xE2 && second == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9);
    return separator ? 0 : 3;
  }
  if (!is_continuation(byte(3))) return 0;
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && second < 0x90) return 0; // overlong
    if (first == 0xF4 && second > 0x8F) return 0; // beyond U+10FFFF
    return 4;
  }
  return 0;
}

/// The length of the character at the start of `text` if it may stay as it is, else 0.
std::size_t plain_character(std::string_view text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  return plain_sequence(text);
}

void append_escaped_byte(unsigned char byte, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  default: break;
  }
  const char escape[] = {'\\', 'x', digits[byte >> 4U], digits[byte & 0xFU]};
  out.append(escape, sizeof escape);
}

constexpr bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.:/+@%").find(c) != std::string_view::npos;
}

} // namespace

std::size_t plain_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    while (text.size() - at >= 8 && is_plain_word(load_word(text.data() + at))) at += 8;
    if (at == text.size()) break;
    const std::size_t length = plain_character(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

bool is_plain_ascii(std::string_view text) noexcept {
  std::size_t at = 0;
  while (text.size() - at >= 8 && is_plain_word(load_word(text.data() + at))) at += 8;
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

void append_escaped(std::string_view text, std::string& out) {
  for (;;) {
    const std::size_t plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    // One byte at a time is enough: the continuation bytes that a refused sequence leaves behind are
    // invalid by themselves and are escaped in their turn.
    append_escaped_byte(static_cast<unsigned char>(text.front()), out);
    text.remove_prefix(1);
  }
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (;;) {
    // Cutting at an ASCII character cannot cut a valid sequence.
    const std::size_t special = text.find_first_of("\"\\");
    append_escaped(text.substr(0, special), out);
    if (special == std::string_view::npos) break;
    out += '\\';
    out += text[special];
    text.remove_prefix(special + 1);
  }
  out += '"';
}

void append_value(std::string_view text, std::string& out) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_word_character))
    out += text;
  else
    append_quoted(text, out);
}

} // namespace faultline::detail
