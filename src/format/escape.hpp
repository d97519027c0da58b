// Text made harmless: no byte of it can end a line, drive a terminal or be invalid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace faultline::detail {

/// The eight bytes at `bytes`, in memory order. For reading text a word at a time.
[[nodiscard]] inline std::uint64_t load_word(const char* bytes) noexcept {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// True where all eight bytes are printable ASCII (0x20 to 0x7E). A borrow or a carry between bytes can only
/// begin in a byte that makes the answer false anyway, so the answer is exact.
[[nodiscard]] constexpr bool is_plain_word(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  return (((word - ones * 0x20U) | (word + ones) | word) & high_bits) == 0;
}

/// The length of the longest beginning of `text` that needs no escaping: printable ASCII and valid UTF-8
/// without C1 controls, U+2028 and U+2029. Any thread; no allocation.
[[nodiscard]] std::size_t plain_prefix(std::string_view text) noexcept;

/// True where all of `text` is printable ASCII, so that a byte is a column.
[[nodiscard]] bool is_plain_ascii(std::string_view text) noexcept;

/// Appends `text` with each byte of a control character (C0, DEL, C1, U+2028, U+2029) or of invalid UTF-8
/// written as `\n`, `\r`, `\t` or `\xNN`. The result is valid UTF-8 and holds no control character. A
/// backslash stays as it is, so that paths stay readable: the escaping is for safety and cannot be undone.
/// Doing it twice is doing it once.
void append_escaped(std::string_view text, std::string& out);

/// As `append_escaped`, between double quotes, with quotes and backslashes escaped by a backslash: what is
/// inside cannot end the quoted text.
void append_quoted(std::string_view text, std::string& out);

/// Appends a key or a value of a `key=value` list: as it is where it is a plain word (ASCII letters, digits
/// and `-_.:/+@%`), quoted otherwise. Empty text becomes `""`.
void append_value(std::string_view text, std::string& out);

} // namespace faultline::detail
