#include <faultline/detail/codec.hpp>

#include <cstring>

namespace faultline::detail {

text measure_c_string(const char* s) noexcept {
  if (s == nullptr) s = "(null)";
  return {s, ::strnlen(s, longest_argument + 1)}; // one more, so that what is longer shows as cut
}

} // namespace faultline::detail
