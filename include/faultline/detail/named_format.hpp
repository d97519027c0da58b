// Format strings whose fields name their arguments.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <fmt/core.h>

#include <faultline/detail/checked_format.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline::detail {

/// A name that is part of a type. Anything but letters, digits and underscores, or a digit at its start, does
/// not compile.
template <std::size_t N> struct argument_name {
  char text[N] = {};

  // NOLINTNEXTLINE(google-explicit-constructor): made of a literal in kv<"name">
  consteval argument_name(const char (&s)[N]) {
    for (std::size_t i = 0; i + 1 < N; ++i) {
      const bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_';
      const bool digit = s[i] >= '0' && s[i] <= '9';
      if (!letter && !(digit && i > 0))
        refuse("an argument's name is made of letters, digits and underscores");
      text[i] = s[i];
    }
    if (N < 2) refuse("an argument's name is not empty");
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, N - 1}; }
};

/// Writes a format with the number of its argument in each field, also in those inside specifications:
/// `put(char)` takes it, `index_of(name)` tells a name's number, or -1. Returns null, or what is wrong.
template <class IndexOf, class Put>
constexpr const char* number_fields(std::string_view format, IndexOf index_of, Put put) {
  int next = 0;
  bool numbered = false;
  bool automatic = false;
  int depth = 0;
  for (std::size_t at = 0; at < format.size(); ++at) {
    const char c = format[at];
    put(c);
    if (depth == 0 && at + 1 < format.size() && format[at + 1] == c && (c == '{' || c == '}')) {
      put(format[++at]);
      continue;
    }
    if (c == '}' && depth > 0) --depth;
    if (c != '{') continue;
    ++depth;
    const std::size_t end = format.find_first_of(":}", at + 1);
    if (end == std::string_view::npos) return "a field does not end";
    const std::string_view id = format.substr(at + 1, end - at - 1);
    at = end - 1;
    if (!id.empty() && id.front() >= '0' && id.front() <= '9') {
      numbered = true;
      for (const char digit : id) put(digit);
      continue;
    }
    automatic = automatic || id.empty();
    const int index = id.empty() ? next++ : index_of(id);
    if (index < 0) return "no argument has that name";
    if (index >= 10) put(static_cast<char>('0' + index / 10 % 10));
    put(static_cast<char>('0' + index % 10));
  }
  return numbered && automatic ? "numbered and automatic fields do not mix" : nullptr;
}

/// The number of the argument with that name, or -1.
template <class... Args> [[nodiscard]] constexpr int index_of_name(std::string_view name) {
  int index = 0;
  const bool found = ((name_of<Args> == name || (++index, false)) || ...);
  return found ? index : -1;
}

/// A format string for these arguments, of which some have names, checked by the compiler.
template <class... Args> class named_format {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): takes the place of fmt::format_string
  template <std::size_t N> consteval named_format(const char (&format)[N]) {
    if (has_twins()) refuse("two arguments have one name");
    std::array<char, 2 * N> text{}; // "{}" may grow to "{63}", and nothing grows more
    std::size_t size = 0;
    const char* const wrong =
        number_fields({format, N - 1}, index_of_name<Args...>, [&](char c) { text[size++] = c; });
    if (wrong != nullptr) refuse(wrong);
    (void)fmt::format_string<typename checked<Args>::type...>(fmt::string_view(text.data(), size));
  }

 private:
  static consteval bool has_twins() {
    int index = 0;
    bool twins = false;
    ((twins = twins || (!name_of<Args>.empty() && index_of_name<Args...>(name_of<Args>) != index), ++index),
     ...);
    return twins;
  }
};

template <class... Args> struct format_type<true, Args...> { using type = named_format<Args...>; };

} // namespace faultline::detail

#pragma GCC diagnostic pop
