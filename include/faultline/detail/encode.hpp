// Bounding arguments and writing them as bytes; what the bytes are says codec.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <faultline/detail/codec.hpp>

namespace faultline::detail {

/// Cuts a string to what its bound and the record's leave, once, before anything is reserved or written: what
/// is written later is exactly what was counted here.
[[gnu::always_inline]] inline void fit(text& t, std::size_t argument_bytes, std::size_t& left) noexcept {
  const std::size_t bound = argument_bytes < left ? argument_bytes : left;
  std::size_t size = t.size;
  if (size > bound) [[unlikely]] { // a size marked `cut_before` is beyond any bound as well
    if ((size & cut_before) != 0) size &= ~(cut_before | cut_bit);
    if (size > bound) size = bound;
    t.size = size | cut_bit | cut_before; // marked, so that another `fit` finds the size again
  }
  left -= size;
}
template <class W>
[[gnu::always_inline]] inline void fit(W& wire, std::size_t argument_bytes, std::size_t& left) noexcept {
  if constexpr (std::is_base_of_v<text, W>) fit(static_cast<text&>(wire), argument_bytes, left);
}

template <class W>
[[nodiscard, gnu::always_inline]] inline std::size_t variable_bytes(const W& wire) noexcept {
  if constexpr (std::is_base_of_v<text, W>)
    return wire.size & ~(cut_before | cut_bit);
  else
    return 0;
}

template <class W>
[[nodiscard, gnu::always_inline]] inline std::byte* put(std::byte* at, const W& wire) noexcept;

struct field_writer {
  std::byte* at;
  template <class Field> void operator()(const Field& field) noexcept { at = put(at, to_wire(field)); }
};
template <class T> struct is_structure : std::false_type {};
template <class T> struct is_structure<structure<T>> : std::true_type {};

template <std::size_t N>
[[gnu::always_inline]] inline void copy_block(std::byte* to, const char* from) noexcept {
  std::memcpy(to, from, N);
}

/// memcpy for texts, which are short as a rule: without a call, across which a statement would have to keep
/// all that it works with. Ends overlap instead of being counted out.
[[gnu::always_inline]] inline void copy_text(std::byte* to, const char* from, std::size_t size) noexcept {
  asm("" : "+r"(from)); // or g++, which knows a literal and not that `size` is its own, warns of its bounds
  if (size >= 16) {
    for (std::size_t i = 0; i < size - 16; i += 16) {
      copy_block<16>(to + i, from + i);
      asm volatile("" : "+r"(i)); // or the compiler sees a memcpy in the loop, and calls it
    }
    copy_block<16>(to + size - 16, from + size - 16);
  } else if (size >= 8) {
    copy_block<8>(to, from);
    copy_block<8>(to + size - 8, from + size - 8);
  } else if (size >= 4) {
    copy_block<4>(to, from);
    copy_block<4>(to + size - 4, from + size - 4);
  } else if (size > 0) {
    copy_block<1>(to, from);
    copy_block<1>(to + size / 2, from + size / 2);
    copy_block<1>(to + size - 1, from + size - 1);
  }
}

/// Writes one argument and returns where the next one goes.
template <class W> inline std::byte* put(std::byte* at, const W& wire) noexcept {
  if constexpr (std::is_base_of_v<text, W>) {
    const auto length = static_cast<std::uint32_t>(wire.size);
    std::memcpy(at, &length, sizeof length);
    const std::size_t size = length & ~cut_bit;
    copy_text(at + sizeof length, wire.data, size);
    return at + sizeof length + size;
  } else if constexpr (is_structure<W>::value) {
    field_writer writer{at};
    using object_type = std::remove_cvref_t<decltype(*wire.object)>;
    fields_of<object_type>::each(*wire.object, writer);
    return writer.at;
  } else if constexpr (std::is_empty_v<W>) {
    return at;
  } else {
    std::memcpy(at, &wire, sizeof wire);
    return at + sizeof wire;
  }
}

} // namespace faultline::detail
