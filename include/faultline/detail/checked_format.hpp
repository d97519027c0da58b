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

/// Stands where the compiler stops at a wrong statement and shows `what_is_wrong`: no constant expression may
/// call it. A `throw` would do, but for programs without exceptions.
inline void refuse(const char* what_is_wrong) noexcept { (void)what_is_wrong; }

/// Accepts any specification, and checks the arguments that it names as widths: stands for types whose own
/// formatter would need a heavy header at the call site.
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
 private:
  /// Reads "}" or "N}" and returns the brace's place.
  template <class Context> static constexpr const char* take_argument(const char* at, Context& context) {
    int id = 0;
    if (at != context.end() && *at == '}') {
      id = context.next_arg_id();
    } else {
      for (; at != context.end() && *at >= '0' && *at <= '9' && id < 100; ++at) id = id * 10 + (*at - '0');
      if (at == context.end() || *at != '}')
        faultline::detail::refuse("a width is {} or {N}, N the number of an argument");
      context.check_arg_id(id);
    }
    context.check_dynamic_spec(id);
    return at;
  }

 public:
  /// A template, or the context is not the compiler's, which alone knows the arguments.
  template <class Context> constexpr const char* parse(Context& context) {
    const char* at = context.begin();
    for (; at != context.end() && *at != '}'; ++at)
      if (*at == '{') at = take_argument(at + 1, context);
    return at;
  }
  template <class Context> auto format(const faultline::detail::any_specification&, Context& context) const {
    return context.out();
  }
};

#pragma GCC diagnostic pop
