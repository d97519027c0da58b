#include "syslog/syslog_text.hpp"

#include <cstdint>

namespace faultline::detail {
namespace {

/// The length of the character at the start of `text` if it may stay as it is, else 0.
std::size_t plain_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  std::uint32_t point = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    point = point << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0xA0, 0x800, 0x10000}; // 0x80 to 0x9F are the C1 controls
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  const bool separator = point == 0x2028 || point == 0x2029;
  return point < least[size] || point > 0x10FFFF || surrogate || separator ? 0 : size;
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

} // namespace

void append_clean(std::string_view text, std::string& out) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size()) {
      const std::size_t size = plain_character(text.substr(plain));
      if (size == 0) break;
      plain += size;
    }
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    append_escaped_byte(static_cast<unsigned char>(text.front()), out);
    text.remove_prefix(1);
  }
}

void append_parameter_value(std::string_view text, std::string& out) {
  std::string clean;
  append_clean(text, clean);
  for (const char c : clean) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
}

void append_name(std::string_view text, std::size_t most, std::string_view forbidden, std::string& out) {
  if (text.empty()) out += '-';
  for (const char c : text.substr(0, most))
    out += c > ' ' && c <= '~' && forbidden.find(c) == std::string_view::npos ? c : '_';
}

} // namespace faultline::detail
