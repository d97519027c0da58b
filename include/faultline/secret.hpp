// Values that must not be logged.
#pragma once

#include <faultline/detail/checked_format.hpp>
#include <faultline/detail/codec.hpp>

namespace faultline {
namespace detail {

/// Stands for a value that was not captured. No bytes.
struct redacted {
  [[nodiscard]] constexpr redacted faultline_wire() const noexcept { return *this; }
};

template <> struct code_of<redacted> {
  static constexpr bool fixed = true;
  static constexpr std::size_t bytes = 0;
  static constexpr void append(code_text& out) { out.append("r"); }
};
template <> struct checked<redacted> { using type = any_specification; };

} // namespace detail

/// `faultline::secret(password)` as an argument or a scope's field: prints as `[redacted]`, whatever the
/// value's type and the specification. The value is not looked at and no byte of it, nor its length, goes
/// into the record. Any type, formattable or not. Costs nothing. It is for values, not for literals: the text
/// of the arguments, macros expanded, names them in records (record_view), so that a password that is spelled
/// out between the parentheses, or in a macro's text, is in the program and may be written.
template <class T> [[nodiscard]] constexpr detail::redacted secret(const T& /*value*/) noexcept { return {}; }

} // namespace faultline
