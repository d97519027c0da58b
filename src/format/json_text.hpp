// JSON strings (RFC 8259) out of any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "format/escape.hpp"

namespace faultline::detail {

/// True where all eight bytes are printable ASCII other than the quote and the backslash, so that JSON takes
/// them as they are. Exact, as is_plain_word: a borrow begins only in a byte that makes the answer false.
[[nodiscard]] constexpr bool is_plain_json_word(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  const std::uint64_t quotes = word ^ (ones * std::uint64_t{'"'});
  const std::uint64_t backslashes = word ^ (ones * std::uint64_t{'\\'});
  const std::uint64_t zeros = ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes);
  return is_plain_word(word) && (zeros & high_bits) == 0;
}

/// The length of the longest beginning of `text` that a JSON string takes as it is: printable ASCII without
/// quote and backslash, and valid UTF-8 without C1 controls, U+2028 and U+2029. Any thread; no allocation.
[[nodiscard]] std::size_t plain_json_prefix(std::string_view text) noexcept;

/// Appends `text` as a JSON string, quotes included. What it appends is valid UTF-8 on one line and drives no
/// terminal, whatever the bytes:
/// - control characters, DEL, C1 controls, U+2028 and U+2029 become escapes that read back as themselves;
/// - a byte that belongs to no valid UTF-8 sequence becomes `\u00XX`, and reads back as the character with
///   its number. Valid characters from U+00A0 on are never escaped, so the line itself tells both apart
///   (bytes 80 to 9F excepted, which look like a C1 control).
void append_json_string(std::string_view text, std::string& out);

} // namespace faultline::detail
