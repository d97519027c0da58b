// How arguments become bytes: wire types, their codes, their sizes, and writing them.
//
// A record is a header of 20 bytes and the arguments one after the other, unaligned, in the machine's byte
// order; its size is rounded up to 8. The site's type codes say what follows what:
//
//   code  argument                       bytes
//   b c   bool, char                     1
//   i u   integers up to 32 bits         4
//   I U   integers of 64 bits            8
//   f d   float, double                  4, 8
//   L     long double                    16
//   p     pointer                        8
//   s     string                         4 (length; top bit: cut) + length
//   t     text formatted at the call     as s
//   x     an exception's description     as s
//   h     bytes to be shown in hex       as s
//   n     how many were suppressed       8
//   r     a secret                       none
//   Dn Du Dm Ds DM Dh                    8, a duration's count of ns, us, ms, s, minutes, hours
//   T     system_clock time point        8, nanoseconds since its epoch
//   {name:code,…}                        the fields of a type that lists them
//   =name:code                           an argument with a name of its own
#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/core.h>

#include <faultline/export.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline {

/// Specialise it with FAULTLINE_FIELDS (fields.hpp) to let a trivially copyable type go into records as raw
/// bytes.
template <class T> struct fields_of;

} // namespace faultline

namespace faultline::detail {

inline constexpr std::size_t header_bytes = 20;
inline constexpr std::size_t longest_argument = 65'535;         ///< no runtime keeps more of a string
inline constexpr std::uint32_t cut_bit = 0x8000'0000U;          ///< in a record's length: the text was cut
inline constexpr std::size_t cut_before = std::size_t{1} << 62; ///< in a size before `fit`: cut already
inline constexpr std::size_t scratch_bytes = 512;

[[nodiscard]] constexpr std::size_t round_up_8(std::size_t n) noexcept { return (n + 7) & ~std::size_t{7}; }

/// A string argument. After `fit` the size is at most the bound.
struct text {
  const char* data;
  std::size_t size;
};
/// Measures a C string, no further than an argument is ever kept; "(null)" for a null pointer.
[[nodiscard]] FAULTLINE_API text measure_c_string(const char* s) noexcept;
struct formatted_text : text {}; ///< code t
struct exception_text : text {}; ///< code x

struct time_count {
  std::int64_t nanoseconds;
};
/// How many occurrences of a rate-limited statement made no record since its last one.
struct suppressed_count {
  std::uint64_t count;
};
template <char Unit> struct duration_count { std::int64_t count; };
template <class T> struct structure { const T* object; };

/// A string built at compile time; long enough for the codes of a statement.
struct code_text {
  char data[512] = {};
  std::size_t size = 0;

  constexpr void append(std::string_view s) {
    for (const char c : s) data[size++] = c; // out of range is a compile error: it runs at compile time only
  }
};

template <class W> struct code_of;
template <class W, char... C> struct plain_code {
  static constexpr bool fixed = true;
  static constexpr std::size_t bytes = sizeof(W);
  static constexpr void append(code_text& out) { (out.append(std::string_view(&one<C>, 1)), ...); }

 private:
  template <char X> static constexpr char one = X;
};
template <> struct code_of<bool> : plain_code<bool, 'b'> {};
template <> struct code_of<char> : plain_code<char, 'c'> {};
template <> struct code_of<std::int32_t> : plain_code<std::int32_t, 'i'> {};
template <> struct code_of<std::int64_t> : plain_code<std::int64_t, 'I'> {};
template <> struct code_of<std::uint32_t> : plain_code<std::uint32_t, 'u'> {};
template <> struct code_of<std::uint64_t> : plain_code<std::uint64_t, 'U'> {};
template <> struct code_of<float> : plain_code<float, 'f'> {};
template <> struct code_of<double> : plain_code<double, 'd'> {};
template <> struct code_of<long double> : plain_code<long double, 'L'> {};
template <> struct code_of<const void*> : plain_code<const void*, 'p'> {};
template <> struct code_of<suppressed_count> : plain_code<suppressed_count, 'n'> {};
template <> struct code_of<time_count> : plain_code<time_count, 'T'> {};
template <char Unit> struct code_of<duration_count<Unit>> : plain_code<duration_count<Unit>, 'D', Unit> {};

template <char C> struct text_code {
  static constexpr bool fixed = false;
  static constexpr std::size_t bytes = 4;
  static constexpr void append(code_text& out) {
    constexpr char c = C;
    out.append(std::string_view(&c, 1));
  }
};
template <> struct code_of<text> : text_code<'s'> {};
template <> struct code_of<formatted_text> : text_code<'t'> {};
template <> struct code_of<exception_text> : text_code<'x'> {};

// --- from an argument to its wire type
// ------------------------------------------------------------------------

template <class T>
concept lists_fields = requires(const T& t) {
  fields_of<T>::each(t, [](const auto&) {});
};

template <class T>
concept string_like = std::same_as<T, std::string_view> || std::same_as<T, fmt::string_view> ||
    requires(const T& t) {
  typename T::traits_type;
  typename T::allocator_type;
  requires std::same_as<T, std::basic_string<char, typename T::traits_type, typename T::allocator_type>>;
};

template <class T>
concept c_string = std::same_as < std::decay_t<T>,
char* > || std::same_as<std::decay_t<T>, const char*>;

template <class T>
concept plain_enum =
    std::is_enum_v<T> && !std::is_default_constructible_v<fmt::formatter<std::remove_cv_t<T>, char>>;

template <class T> struct duration_unit { static constexpr char value = 0; };
template <class Rep, class Period> struct duration_unit<std::chrono::duration<Rep, Period>> {
  static constexpr char value = !std::is_integral_v<Rep> || sizeof(Rep) > 8 ? char{0}
                                : std::is_same_v<Period, std::nano>         ? 'n'
                                : std::is_same_v<Period, std::micro>        ? 'u'
                                : std::is_same_v<Period, std::milli>        ? 'm'
                                : std::is_same_v<Period, std::ratio<1>>     ? 's'
                                : std::is_same_v<Period, std::ratio<60>>    ? 'M'
                                : std::is_same_v<Period, std::ratio<3600>>  ? 'h'
                                                                            : char{0};
};
template <class T>
concept raw_duration = duration_unit<T>::value != 0;
template <class T>
concept raw_time_point =
    std::same_as<T, std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>>;

template <class T>
concept raw_integer = std::integral<T> && sizeof(T) <= 8 && !std::same_as<std::remove_cv_t<T>, wchar_t> &&
                      !std::same_as<std::remove_cv_t<T>, char8_t> &&
                      !std::same_as<std::remove_cv_t<T>, char16_t> &&
                      !std::same_as<std::remove_cv_t<T>, char32_t>;

/// faultline's own arguments, which know their wires (secret.hpp, hex.hpp, kv.hpp).
template <class T>
concept own_argument = requires(const T& t) {
  t.faultline_wire();
};

/// Types that go into the record as they are; all others are formatted where they are logged.
template <class T>
concept raw_argument = raw_integer<T> || std::floating_point<T> || string_like<T> || c_string<T> ||
                       plain_enum<T> || raw_duration<T> || raw_time_point<T> || lists_fields<T> ||
                       own_argument<T> || std::same_as < std::decay_t<T>,
void* > || std::same_as<std::decay_t<T>, const void*> || std::same_as<std::decay_t<T>, std::nullptr_t>;

template <class T> [[nodiscard, gnu::always_inline]] constexpr auto to_wire(const T& value) noexcept {
  if constexpr (std::is_volatile_v<T>) { // a scalar: read once, for it may change
    const std::remove_cv_t<T> read = value;
    return to_wire(read);
  } else if constexpr (std::same_as<T, bool> || std::same_as<T, char> || std::floating_point<T>) {
    return value;
  } else if constexpr (raw_integer<T>) {
    if constexpr (std::is_signed_v<T>)
      return static_cast<std::conditional_t<sizeof(T) <= 4, std::int32_t, std::int64_t>>(value);
    else
      return static_cast<std::conditional_t<sizeof(T) <= 4, std::uint32_t, std::uint64_t>>(value);
  } else if constexpr (plain_enum<T>) {
    return to_wire(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (string_like<T>) {
    return text{value.data(), value.size()};
  } else if constexpr (c_string<T>) {
    if constexpr (std::is_array_v<T>)
      return text{value, ::strnlen(value, sizeof value)};
    else if (value != nullptr && __builtin_constant_p(__builtin_strlen(value)))
      return text{value, __builtin_strlen(value)};
    else
      return measure_c_string(value);
  } else if constexpr (raw_duration<T>) {
    return duration_count<duration_unit<T>::value>{static_cast<std::int64_t>(value.count())};
  } else if constexpr (raw_time_point<T>) {
    return time_count{value.time_since_epoch().count()};
  } else if constexpr (lists_fields<T>) {
    return structure<T>{&value};
  } else if constexpr (own_argument<T>) {
    return value.faultline_wire();
  } else {
    return static_cast<const void*>(value);
  }
}

template <class T> using wire_t = decltype(to_wire(std::declval<const T&>()));

template <class T> struct field_codes {
  code_text& out;
  bool first = true;
  template <class Field> constexpr void add(std::string_view name) {
    if (!first) out.append(",");
    first = false;
    out.append(name);
    out.append(":");
    code_of<wire_t<Field>>::append(out);
  }
};
struct field_sizes {
  std::size_t bytes = 0;
  template <class Field> constexpr void add(std::string_view) {
    static_assert(raw_argument<Field> && code_of<wire_t<Field>>::fixed,
                  "a field of FAULTLINE_FIELDS must be a number, a bool, a char, an enum, a pointer, a "
                  "duration, a time "
                  "point or a type with fields of its own");
    bytes += code_of<wire_t<Field>>::bytes;
  }
};
template <class T> struct code_of<structure<T>> {
  static_assert(std::is_trivially_copyable_v<T>, "FAULTLINE_FIELDS needs a trivially copyable type");
  static constexpr bool fixed = true;
  static constexpr std::size_t bytes = [] {
    field_sizes sizes;
    fields_of<T>::types(sizes);
    return sizes.bytes;
  }();
  static constexpr void append(code_text& out) {
    out.append("{");
    field_codes<T> codes{out};
    fields_of<T>::types(codes);
    out.append("}");
  }
};

/// What the dictionary must know of a statement's arguments.
struct argument_types {
  const char* codes;          ///< NUL-terminated
  std::uint16_t record_bytes; ///< zero where the size depends on the arguments
};

/// The codes of a whole statement, trimmed to their length.
template <class... W> struct FAULTLINE_LOCAL signature {
  static constexpr code_text all = [] {
    code_text out;
    (code_of<W>::append(out), ...);
    return out;
  }();
  struct trimmed {
    char data[all.size + 1] = {};
  };
  static constexpr trimmed codes = [] {
    trimmed out;
    for (std::size_t i = 0; i < all.size; ++i) out.data[i] = all.data[i];
    return out;
  }();
  static constexpr bool fixed = (code_of<W>::fixed && ...);
  static constexpr std::size_t bytes = header_bytes + (code_of<W>::bytes + ... + 0);
  static constexpr argument_types types{codes.data,
                                        static_cast<std::uint16_t>(fixed ? round_up_8(bytes) : 0)};
};

} // namespace faultline::detail

#pragma GCC diagnostic pop
