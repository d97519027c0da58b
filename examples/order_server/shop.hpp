// From the text of a request to the text of its answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shop {

struct answer {
  int status = 200;
  std::string body;
};

/// Takes one order, in a scope of its own. Every order that cannot be taken is answered with a status of 500
/// or above and is one failure in the log. Never throws.
[[nodiscard]] answer take_order(std::uint64_t request, std::string_view body, std::string_view traceparent);

} // namespace shop
