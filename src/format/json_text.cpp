#include "format/json_text.hpp"

namespace faultline::detail {
namespace {

void append_code_unit(unsigned unit, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char escape[] = {'\\',
                         'u',
                         digits[unit >> 12U & 0xFU],
                         digits[unit >> 8U & 0xFU],
                         digits[unit >> 4U & 0xFU],
                         digits[unit & 0xFU]};
  out.append(escape, sizeof escape);
}

void append_escaped_ascii(char c, std::string& out) {
  switch (c) {
  case '"': out += "\\\""; return;
  case '\\': out += "\\\\"; return;
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  case '\b': out += "\\b"; return;
  case '\f': out += "\\f"; return;
  default: append_code_unit(static_cast<unsigned char>(c), out); return;
  }
}

/// Appends the escape of what `text` begins with, which is no plain character; returns the bytes it stands
/// for.
std::size_t append_escape(std::string_view text, std::string& out) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) {
    append_escaped_ascii(text.front(), out);
    return 1;
  }
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : static_cast<unsigned char>(0);
  };
  if (first == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) { // a C1 control
    append_code_unit(byte(1), out);
    return 2;
  }
  if (first == 0xE2 && byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9)) { // a Unicode line end
    append_code_unit(0x2000U + byte(2) - 0x80U, out);
    return 3;
  }
  append_code_unit(first, out);
  return 1;
}

} // namespace

std::size_t plain_json_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    while (text.size() - at >= 8 && is_plain_json_word(load_word(text.data() + at))) at += 8;
    // The last bytes, or a word with something other than plain ASCII in it.
    while (at < text.size() && text[at] >= ' ' && text[at] <= '~' && text[at] != '"' && text[at] != '\\')
      ++at;
    if (at == text.size() || static_cast<unsigned char>(text[at]) < 0x80) break;
    if (plain_prefix(text.substr(at, 4)) == 0) break;
    const auto lead = static_cast<unsigned char>(text[at]); // of a valid sequence, so it tells the length
    at += lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }
  return at;
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (;;) {
    const std::size_t plain = plain_json_prefix(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(append_escape(text, out));
  }
  out += '"';
}

} // namespace faultline::detail
