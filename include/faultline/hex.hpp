// Bytes, to be shown in hexadecimal digits.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <faultline/detail/checked_format.hpp>
#include <faultline/detail/codec.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline {
namespace detail {

/// Bytes on their way into a record, code h. As a string they are copied as they are, up to the bound.
struct hex_bytes : text {
  [[nodiscard]] constexpr hex_bytes faultline_wire() const noexcept { return *this; }
};

template <> struct code_of<hex_bytes> : text_code<'h'> {};
struct hex_specification {};
template <> struct checked<hex_bytes> { using type = hex_specification; };

} // namespace detail

/// `FAULTLINE_DEBUG(lg, "received {}", faultline::hex(data, size))`: the bytes are copied into the record, up
/// to runtime_options::argument_bytes, and formatted by the flusher: `0a 1b ff`, with `[...]` behind bytes
/// that were cut. Specifications, in any combination: `{:s}` without spaces, `{:X}` with capitals, `{:a}`
/// with the printable characters behind each sixteen bytes, `{:o}` with an offset before them; all on one
/// line, `{:oa}`: `0000: 68 69 0a |hi.|`. A null pointer is no bytes. To be written as an argument of the
/// statement: until then, only `data` is kept.
[[nodiscard]] inline detail::hex_bytes hex(const void* data, std::size_t size) noexcept {
  return {{static_cast<const char*>(data), data != nullptr ? size : 0}};
}

/// The bytes of a contiguous range of trivially copyable elements, such as a span, a vector or a string. As
/// of `data`, only where they are is kept: they must live to the end of the statement.
template <class Range>
requires requires(const Range& r) { std::span(std::data(r), std::size(r)); }
[[nodiscard]] detail::hex_bytes hex(const Range& range) noexcept {
  const auto bytes = std::as_bytes(std::span(std::data(range), std::size(range)));
  static_assert(std::is_trivially_copyable_v<std::remove_cvref_t<decltype(*std::data(range))>>,
                "hex shows the bytes of trivially copyable elements");
  return hex(bytes.data(), bytes.size());
}

} // namespace faultline

/// @cond
template <> struct fmt::formatter<faultline::detail::hex_specification> {
  constexpr auto parse(fmt::format_parse_context& context) {
    auto at = context.begin();
    for (; at != context.end() && *at != '}'; ++at)
      if (*at != 's' && *at != 'X' && *at != 'a' && *at != 'o')
        faultline::detail::refuse("hex takes the specifications s, X, a and o");
    return at;
  }
  template <class Context> auto format(const faultline::detail::hex_specification&, Context& context) const {
    return context.out();
  }
};
/// @endcond

#pragma GCC diagnostic pop
