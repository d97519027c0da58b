// What escaping must do, said once more from the code points, independently of the library's tables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "support/clean_text.hpp"

namespace faultline::fuzz {

/// One character at the start of a text: valid UTF-8 of `size` bytes, or one byte that is not.
struct character {
  std::size_t size = 1;
  bool valid = false;
  char32_t point = 0;
};

inline character first_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, true, lead};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || lead >= 0xF8 || text.size() < size) return {};
  char32_t point = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6U != 2) return {};
    point = point << 6U | (byte(i) & 0x3FU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return {};
  return {size, true, point};
}

/// What a cut to so many bytes leaves: the characters that have room, a byte that is not UTF-8 being one.
inline std::string_view reference_cut(std::string_view text, std::size_t most) {
  std::size_t size = 0;
  while (size < text.size()) {
    const std::size_t next = first_character(text.substr(size)).size;
    if (size + next > most) break;
    size += next;
  }
  return text.substr(0, size);
}

inline bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
}

inline std::string reference_escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const character c = first_character(text);
    const std::string_view bytes = text.substr(0, c.size);
    text.remove_prefix(c.size);
    if (c.valid && !is_control(c.point)) {
      out += bytes;
      continue;
    }
    for (const char b : bytes) {
      if (b == '\n' || b == '\r' || b == '\t')
        out += b == '\n' ? "\\n" : b == '\r' ? "\\r" : "\\t";
      else
        out += {'\\', 'x', digits[static_cast<unsigned char>(b) >> 4U],
                digits[static_cast<unsigned char>(b) & 15U]};
    }
  }
  return out;
}

inline void append_utf8(char32_t point, std::string& out) {
  const auto tail = [&out, point](unsigned shift) {
    out += static_cast<char>(0x80U | (point >> shift & 0x3FU));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6U);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// What a JSON reader gets back: the same text, each byte of invalid UTF-8 as the character of its number.
inline std::string reference_read_back(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const character c = first_character(text);
    append_utf8(c.valid ? c.point : static_cast<unsigned char>(text.front()), out);
    text.remove_prefix(c.size);
  }
  return out;
}

} // namespace faultline::fuzz
