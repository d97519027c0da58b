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

/// Bytes that a promise speaks of.
struct raw_bytes {
  std::string_view text;
};

inline void append_part(std::string_view text, std::string& out) { out += text; }
inline void append_part(raw_bytes of, std::string& out) { out += shown(of.text); }
inline void append_part(std::size_t number, std::string& out) { out += std::to_string(number); }

template <class... Parts> [[noreturn, gnu::noinline]] void fail(const Parts&... promise) {
  finding found;
  (append_part(promise, found.text), ...);
  throw found;
}

/// The promise comes in parts, which are put together only where it does not hold: most inputs are good.
template <class... Parts> void check(bool good, const Parts&... promise) {
  if (!good) fail(promise...);
}

template <class... Parts>
void check_equal(std::string_view is, std::string_view expected, const Parts&... promise) {
  check(is == expected, promise..., "\n  is:       ", raw_bytes{is}, "\n  expected: ", raw_bytes{expected});
}

/// The text as it is; in the negative control with an unescaped byte in its middle.
[[nodiscard]] inline std::string doctored(std::string text) {
  if (expects_wrong) text.insert(text.size() / 2, 1, '\r');
  return text;
}

} // namespace faultline::fuzz
