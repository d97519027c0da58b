// The one way in which text is cut to a bound: between characters. A header alone, for the components too.
#pragma once

#include <cstddef>
#include <string_view>

namespace faultline::detail {

/// The size of the UTF-8 sequence (RFC 3629) that `text` begins with, or of which it is the beginning: then
/// it is larger than the text. 0 where no valid sequence begins so.
[[nodiscard]] constexpr std::size_t sequence_bytes(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  for (std::size_t i = 1; i < size && i < text.size(); ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  if (text.size() == 1) return size;
  const unsigned char second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : size;
}

/// A text that was cut, its rest not at hand, without the bytes at its end that may begin a character: three
/// at most.
[[nodiscard]] constexpr std::string_view whole_characters(std::string_view text) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::string_view last = text.substr(text.size() - back);
    if ((static_cast<unsigned char>(last.front()) & 0xC0U) == 0x80U) continue;
    return sequence_bytes(last) > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

/// The longest beginning of `text` of at most `most` bytes that leaves no part of a valid UTF-8 sequence.
/// Text that is not UTF-8 is cut at `most` bytes. Looks three bytes back and three ahead, at most.
[[nodiscard]] constexpr std::string_view whole_characters(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  const std::string_view whole = whole_characters(text.substr(0, most));
  const std::string_view last = text.substr(whole.size());
  const std::size_t size = sequence_bytes(last);
  return size != 0 && size <= last.size() ? whole : text.substr(0, most);
}

} // namespace faultline::detail
