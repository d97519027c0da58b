// From a record's bytes and its site's type codes back to arguments. Trusts neither: whatever the bytes are,
// it reads only inside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace faultline::detail {

inline constexpr std::size_t most_arguments = 64;
inline constexpr unsigned deepest_structure = 8;

/// The bytes of a plain argument; 0 for codes that stand for more than bytes of one size.
[[nodiscard]] std::size_t plain_bytes(char code) noexcept;

/// One argument: its code, and where its bytes lie. Trivial, since arrays of it stand on the stack for each
/// record.
struct argument {
  char code; ///< see faultline/detail/codec.hpp; '{' for a structure
  char unit; ///< of a duration
  bool cut;
  const char* text_data; ///< of s, t, x and h
  std::size_t text_size;
  const char* structure_data; ///< of {: the codes between the braces
  std::size_t structure_size;
  const std::byte* data;

  [[nodiscard]] std::string_view text() const noexcept { return {text_data, text_size}; }
  [[nodiscard]] std::string_view structure() const noexcept { return {structure_data, structure_size}; }

  template <class T> [[nodiscard]] T as() const noexcept {
    T value;
    std::memcpy(&value, data, sizeof value);
    return value;
  }
};

/// A statement's codes taken apart: those of its arguments, and the names that some of them have.
struct named_types {
  explicit named_types(std::string_view types);

  std::string codes;              ///< without names
  std::vector<std::string> names; ///< one for each argument, empty where it has none
  bool any = false;               ///< one has a name
};

/// Takes one argument after the other off a record.
class argument_reader {
 public:
  argument_reader(std::string_view types, const std::byte* data, std::size_t bytes) noexcept
      : types_(types), at_(data), left_(bytes) {}

  /// False at the end of the codes and where the bytes do not match them; `damaged` tells the two apart.
  bool next(argument& out) noexcept;
  [[nodiscard]] bool damaged() const noexcept { return damaged_; }
  /// For the fields of a structure: takes "name:" off the codes.
  [[nodiscard]] std::string_view take_name() noexcept;
  [[nodiscard]] const std::byte* position() const noexcept { return at_; }

 private:
  bool take(argument& out, std::size_t bytes) noexcept;
  bool take_text(argument& out) noexcept;
  bool take_structure(argument& out, unsigned depth) noexcept;
  bool next_at(argument& out, unsigned depth) noexcept;

  std::string_view types_;
  const std::byte* at_;
  std::size_t left_;
  bool damaged_ = false;
};

/// Decodes all arguments into `out`; returns how many, or -1 for bytes that do not match the codes.
[[nodiscard]] int decode(std::string_view types, const std::byte* data, std::size_t bytes,
                         std::span<argument, most_arguments> out) noexcept;

} // namespace faultline::detail
