// What escaped text must be, said again independently of the code that escapes: it decodes to code points.
#pragma once

#include <cstdint>
#include <string_view>

namespace faultline::test {

/// True for valid UTF-8 without control characters and Unicode line ends.
inline bool is_clean(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first < 0x80              ? 1
                             : (first >> 5) == 0b110   ? 2
                             : (first >> 4) == 0b1110  ? 3
                             : (first >> 3) == 0b11110 ? 4
                                                       : 0;
    if (size == 0 || size > text.size()) return false;
    std::uint32_t point = size == 1 ? first : first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if (next >> 6 != 0b10) return false;
      point = point << 6 | (next & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    if (point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029) return false;
    text.remove_prefix(size);
  }
  return true;
}

} // namespace faultline::test
