// Arguments with names of their own, which reach structured formatters as fields.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

#include <faultline/detail/named_format.hpp>
#include <faultline/detail/statement.hpp>
#include <faultline/export.hpp>

namespace faultline {
namespace detail {

/// The wire of a named argument is that of its value; the name is in the type, so in the site's codes.
template <argument_name Name, class W> struct named_wire { W value; };
template <argument_name Name, class W>
requires std::is_class_v<W>
struct named_wire<Name, W> : W {
};

template <argument_name Name, class T>
struct is_structure<named_wire<Name, structure<T>>> : std::true_type {};

template <argument_name Name, class W> struct code_of<named_wire<Name, W>> {
  static constexpr bool fixed = code_of<W>::fixed;
  static constexpr std::size_t bytes = code_of<W>::bytes;
  static constexpr void append(code_text& out) {
    out.append("=");
    out.append(Name.view());
    out.append(":");
    code_of<W>::append(out);
  }
};

/// An argument on its way into a statement, which ends before the value does.
template <argument_name Name, class T> struct named {
  const T& value;

  [[nodiscard, gnu::always_inline]] constexpr auto faultline_wire() const noexcept requires raw_argument<T> {
    return named_wire<Name, wire_t<T>>{to_wire(value)};
  }
};

template <argument_name Name, class T>
inline constexpr std::string_view name_of<named<Name, T>> = Name.view();
template <argument_name Name, class T> struct checked<named<Name, T>> : checked<T> {};

/// As format_argument, for the field of that name.
[[gnu::cold]] FAULTLINE_API std::size_t format_named_argument(const site& where, unsigned index,
                                                              std::string_view name, char* out,
                                                              std::size_t size,
                                                              fmt::format_args argument) noexcept;

template <argument_name Name, class T>
requires(!raw_argument<T>) struct captured<named<Name, T>> {
  char scratch[scratch_bytes];
  named_wire<Name, formatted_text> wire;
  captured(const site& where, unsigned index, const named<Name, T>& argument) noexcept {
    const std::size_t size = format_named_argument(where, index, Name.view(), scratch, sizeof scratch,
                                                   fmt::make_format_args(argument.value));
    wire.data = scratch;
    wire.size = size <= sizeof scratch ? size : sizeof scratch | cut_before;
  }
};

} // namespace detail

/// `FAULTLINE_INFO(lg, "user {user} took {ms} ms", faultline::kv<"user">(u), faultline::kv<"ms">(t))`: an
/// argument with a name, by which the format may refer to it; it also has its position among the others, and
/// may be left out of the format. The message is as without names; beside it the record carries the named
/// values (record_view::arguments), which the JSON formatter writes as the object `args`. Names and format
/// are checked by the compiler. Any type that may be logged, also `faultline::secret` and `faultline::hex`. A
/// record costs and stores what it would without names: they belong to the statement.
///
/// To be written as an argument of the statement: it refers to `value`, and one that is kept in a variable
/// does not keep a temporary alive (clang warns of that).
template <detail::argument_name Name, class T>
[[nodiscard]] constexpr detail::named<Name, T> kv(const T& value FAULTLINE_LIFETIME_BOUND) noexcept {
  return {value};
}

} // namespace faultline
