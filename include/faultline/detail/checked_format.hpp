// The format string's check at compile time, without the headers that formatting itself would need.
#pragma once

#include <string_view>
#include <type_traits>

#include <fmt/core.h>

#include <faultline/detail/codec.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline::detail {

/// Accepts any specification: stands for types whose own formatter would need a heavy header at the call
/// site.
struct any_specification {};

template <class T> struct checked {
  static_assert(!fmt::detail::is_named_arg<T>::value,
                "fmt::arg is not supported: use faultline::kv (faultline/kv.hpp)");
  using type = std::remove_cvref_t<T>;
};
template <plain_enum T> struct checked<T> { using type = std::underlying_type_t<T>; };
template <class T>
requires(raw_duration<T> || raw_time_point<T>) struct checked<T> {
  using type = any_specification;
};
template <lists_fields T> struct checked<T> { using type = std::string_view; };

/// The name that an argument brings along (faultline/kv.hpp), or nothing.
template <class T> inline constexpr std::string_view name_of{};

template <bool Named, class... Args> struct format_type {
  using type = fmt::format_string<typename checked<Args>::type...>;
};

/// A format string for these arguments, checked by the compiler.
template <class... Args>
using format_for = typename format_type<(!name_of<Args>.empty() || ...), Args...>::type;

} // namespace faultline::detail

template <> struct fmt::formatter<faultline::detail::any_specification> {
  constexpr auto parse(fmt::format_parse_context& context) {
    auto at = context.begin();
    int depth = 0;
    while (at != context.end() && (*at != '}' || depth > 0)) {
      depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
      ++at;
    }
    return at;
  }
  template <class Context> auto format(const faultline::detail::any_specification&, Context& context) const {
    return context.out();
  }
};

#pragma GCC diagnostic pop
