#include "format/replacement_fields.hpp"

#include <string>

#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

std::string pieces_of(std::string_view format) {
  std::string out;
  format_pieces pieces(format);
  while (const auto p = pieces.next()) {
    if (p->is_literal)
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

TEST_CASE("fields inside a specification are marked and take their turn in the numbering") {
  CHECK(pieces_of("{:{}} {}") == "<0:{}!>[ ]<2:>");
  CHECK(pieces_of("{0:{1}} {2}") == "<0:{1}!>[ ]<2:>");
  CHECK(pieces_of("{name}") == "<-1:>");
  const auto twice = [](int index) { return index * 2; };
  CHECK(resolve(">{}.{}f", 3, twice) == ">6.8f");
  CHECK(resolve("{7}", 3, twice) == "14");
}

TEST_CASE("the specification of an argument is the one where it first appears") {
  CHECK(specification_of("{} {:>5}", 1) == ">5");
  CHECK(specification_of("{0} {1:x} {1:b}", 1) == "x");
  CHECK(specification_of("{:{}}", 0).empty());
  CHECK(specification_of("{}", 3).empty());
}

TEST_CASE("a brace at the format's end begins a field that is empty") {
  CHECK(pieces_of("a{") == "[a]<0:>");
  CHECK(pieces_of("a}") == "[a]<0:>");
  CHECK(pieces_of("}b") == "<-1:>");
}

TEST_CASE("an index is digits alone, and bounded") {
  CHECK(parse_index("12") == 12);
  CHECK(parse_index("99999999999999") == 9999);
  for (const std::string_view name : {"-1", "1-", "1a", "a"}) CHECK(parse_index(name) == -1);
}

TEST_CASE("an argument's specification is found by its name, and one with fields of its own is none") {
  CHECK(specification_of("{} {name:>5}", 7, "name") == ">5");
  CHECK(specification_of("{} {other:>5}", 7, "name").empty());
  CHECK(specification_of("{name:{}}", 7, "name").empty());
}
