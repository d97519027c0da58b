// Arguments as a statement writes them into its record, one after the other and of types chosen at run time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/detail/encode.hpp>
#include <faultline/fields.hpp>
#include <faultline/hex.hpp>
#include <faultline/secret.hpp>

#include "fuzz/check.hpp"

namespace faultline::fuzz {

/// A type of a user's own that lists its fields, one inside another.
struct inner_fields {
  char letter;
  std::chrono::milliseconds time;
};
struct outer_fields {
  std::int32_t number;
  double fraction;
  inner_fields inner;
  bool yes;
};

/// A statement's codes and bytes. A string longer than the bound is cut, as `measure` does.
class written_arguments {
 public:
  explicit written_arguments(std::size_t argument_bytes) : argument_bytes_(argument_bytes) {}

  template <class T> void add(const T& value, std::string_view name = {}) {
    add_wire(detail::to_wire(value), name);
  }
  template <class Wire> void add_wire(Wire wire, std::string_view name) {
    detail::fit(wire, argument_bytes_, left_);
    detail::code_text code;
    detail::code_of<Wire>::append(code);
    if (!name.empty()) types_.append("=").append(name).append(":");
    types_.append(code.data, code.size);
    const std::size_t before = bytes_.size();
    bytes_.resize(before + detail::code_of<Wire>::bytes + detail::variable_bytes(wire));
    const std::byte* const end = detail::put(bytes_.data() + before, wire);
    check(end == bytes_.data() + bytes_.size(), "an argument takes the bytes that were counted");
  }

  [[nodiscard]] const std::string& types() const noexcept { return types_; }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  std::size_t argument_bytes_;
  std::size_t left_ = 40'000;
  std::string types_;
  std::vector<std::byte> bytes_;
};

} // namespace faultline::fuzz

FAULTLINE_FIELDS(faultline::fuzz::inner_fields, letter, time);
FAULTLINE_FIELDS(faultline::fuzz::outer_fields, number, fraction, inner, yes);
