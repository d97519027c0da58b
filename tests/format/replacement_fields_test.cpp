#include "format/replacement_fields.hpp"

#include <string>

#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

std::string pieces_of(std::string_view format) {
  std::string out;
  format_pieces pieces(format);
  while (const auto p = pieces.next()) {
    if (p->index < 0)
      out += "[" + std::string(p->literal) + "]";
    else
      out += "<" + std::to_string(p->index) + ":" + std::string(p->specification) + (p->dynamic ? "!" : "") +
             ">";
  }
  return out;
}

} // namespace

TEST_CASE("a format string is cut into literals and replacement fields") {
  CHECK(pieces_of("") == "");
  CHECK(pieces_of("plain") == "[plain]");
  CHECK(pieces_of("a {} b {:>5}") == "[a ]<0:>[ b ]<1:>5>");
  CHECK(pieces_of("{1}{0:x}") == "<1:><0:x>");
  CHECK(pieces_of("{{}}") == "[{][}]");
  CHECK(pieces_of("{{{}}}") == "[{]<0:>[}]");
}

TEST_CASE("nested and named fields are marked for fmt itself") {
  CHECK(pieces_of("{:{}}") == "<0:!>");
  CHECK(pieces_of("{name}").find('!') != std::string::npos);
}

TEST_CASE("the specification of an argument is the one where it first appears") {
  CHECK(specification_of("{} {:>5}", 1) == ">5");
  CHECK(specification_of("{0} {1:x} {1:b}", 1) == "x");
  CHECK(specification_of("{:{}}", 0).empty());
  CHECK(specification_of("{}", 3).empty());
}
