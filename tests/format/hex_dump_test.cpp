#include "format/hex_dump.hpp"

#include <string>

#include "support/catch.hpp"

namespace {

std::string hex(std::string_view bytes, std::string_view specification) {
  fmt::memory_buffer out;
  faultline::detail::append_hex(bytes, specification, out);
  return fmt::to_string(out);
}

} // namespace

TEST_CASE("each specification of bytes does what it says, alone and with the others") {
  const std::string_view bytes("~\x7f\x1f z", 5);
  CHECK(hex(bytes, "") == "7e 7f 1f 20 7a");
  CHECK(hex(bytes, "s") == "7e7f1f207a");
  CHECK(hex(bytes, "a") == "7e 7f 1f 20 7a |~.. z|");
  CHECK(hex(bytes, "o") == "0000: 7e 7f 1f 20 7a");
  CHECK(hex(bytes, "soaX") == "0000: 7E7F1F207A |~.. z|");
  CHECK(hex(std::string(17, 'x'), "so") ==
        "0000: " + std::string("78787878787878787878787878787878 0010: 78"));
  CHECK(hex("", "oa").empty());
}
