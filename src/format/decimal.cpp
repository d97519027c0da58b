#include "format/decimal.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <fmt/compile.h>

namespace faultline::detail {

char* write_double(char* at, double value) {
  constexpr double scale = 1e4;
  constexpr double beyond = 1e11; // fifteen digits with the four decimals
  const double size = std::fabs(value);
  if (size < beyond) {                       // false for NaN
    const double above = size * scale + 0.5; // one too many or too few would show below
    const auto scaled = static_cast<std::uint64_t>(above);
    // Decimals of up to 15 digits have a double each (DBL_DIG): the one that reads back as the value is the
    // shortest there is, and the division is correctly rounded, so it tells whether this one does.
    if (scaled != 0 && static_cast<double>(scaled) / scale == size) {
      if (value < 0) *at++ = '-';
      at = std::to_chars(at, at + 20, scaled / 10'000).ptr;
      auto decimals = static_cast<unsigned>(scaled % 10'000);
      if (decimals == 0) return at;
      const char digits[] = {
          '.', static_cast<char>('0' + decimals / 1000), static_cast<char>('0' + decimals / 100 % 10),
          static_cast<char>('0' + decimals / 10 % 10), static_cast<char>('0' + decimals % 10)};
      std::memcpy(at, digits, sizeof digits);
      at += sizeof digits;
      while (at[-1] == '0') --at;
      return at;
    }
  }
  return fmt::format_to(at, FMT_COMPILE("{}"), value);
}

} // namespace faultline::detail
