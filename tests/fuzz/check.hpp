// What fuzz targets check with.
#pragma once

#include <string>
#include <string_view>

namespace faultline::fuzz {

/// A promise that an input breaks. Nothing in the library catches it.
struct finding {
  std::string text;
};

/// The negative control: where it is true, each target hands its checks something wrong, and must find it.
inline bool expects_wrong = false;

inline void check(bool good, std::string_view promise) {
  if (!good) throw finding{std::string(promise)};
}

/// Bytes in a form that a terminal shows.
[[nodiscard]] inline std::string shown(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~')
      out += c;
    else
      out += {'\\', 'x', digits[static_cast<unsigned char>(c) >> 4U],
              digits[static_cast<unsigned char>(c) & 15U]};
  }
  return out;
}

inline void check_equal(std::string_view is, std::string_view expected, std::string_view promise) {
  if (is != expected)
    throw finding{std::string(promise) + "\n  is:       " + shown(is) + "\n  expected: " + shown(expected)};
}

/// The text as it is; in the negative control with an unescaped byte in its middle.
[[nodiscard]] inline std::string doctored(std::string text) {
  if (expects_wrong) text.insert(text.size() / 2, 1, '\r');
  return text;
}

} // namespace faultline::fuzz
