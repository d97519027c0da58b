// Bytes in hexadecimal digits.
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace faultline::detail {

/// Appends the bytes by a specification of faultline::hex: any of the letters s, X, a and o; others mean
/// nothing.
void append_hex(std::string_view bytes, std::string_view specification, fmt::memory_buffer& out);

} // namespace faultline::detail
