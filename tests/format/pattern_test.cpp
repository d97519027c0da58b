#include "format/pattern.hpp"

#include <optional>
#include <random>

#include <faultline/configuration_error.hpp>

#include "support/catch.hpp"
#include "support/clean_text.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using faultline::test::contains;

namespace {

/// What is said about a wrong pattern; nothing for a good one.
std::optional<std::string> complaint(std::string_view text) {
  try {
    const detail::pattern compiled(text);
    return std::nullopt;
  } catch (const configuration_error& e) {
    CHECK(e.option() == "pattern");
    CHECK(e.value() == text);
    return e.what();
  }
}

} // namespace

TEST_CASE("every documented field is known") {
  for (const std::string name :
       {"time", "level", "logger", "thread", "process", "file", "path", "line", "function", "message",
        "exception", "scope", "trace_id", "span_id", "fields", "dump_id"}) {
    CHECK_FALSE(complaint("{" + name + "}"));
    CHECK_FALSE(complaint("{" + name + ":}"));
    if (name != "time") CHECK_FALSE(complaint("{" + name + ":>20}"));
  }
}

TEST_CASE("an unknown field is refused with its column and the choices") {
  const auto text = complaint("{time} {levle}");
  REQUIRE(text);
  CHECK_THAT(*text, contains("column 8") && contains("'levle'") && contains("time, level, logger") &&
                        contains("dump_id"));
  CHECK(complaint("{}"));
  CHECK(complaint("{ time }"));
  CHECK(complaint("{TIME}"));
  CHECK(complaint("{level!r}"));
  CHECK(complaint("{0}"));
  CHECK(complaint("{literal}"));
}

TEST_CASE("a complaint is one line that tells its reason, whatever the pattern holds") {
  using namespace std::string_view_literals;
  CHECK_THAT(complaint("a\0b"sv).value(), contains("'a?b': column 2"));
  CHECK_THAT(complaint("{x\n}"sv).value(), contains("'{x?}': column 3"));
}

TEST_CASE("the column is counted in characters, not in bytes") {
  CHECK_THAT(complaint("größe {x}").value(), contains("column 7"));
}

TEST_CASE("braces that do not pair are refused with their column") {
  CHECK_THAT(complaint("{message").value(), contains("column 1"));
  CHECK_THAT(complaint("a } b").value(), contains("column 3"));
  CHECK_THAT(complaint("{time} {").value(), contains("column 8"));
  CHECK_THAT(complaint("{level:{}}").value(), contains("column 8"));
  CHECK_THAT(complaint("{{{message}").value_or("none"), contains("none"));
  CHECK(complaint("{{message}"));
  CHECK(complaint("}}}"));
}

TEST_CASE("a specification is checked when the pattern is set") {
  CHECK_THAT(complaint("{level:<8q}").value(), contains("column 8"));
  CHECK(complaint("{level:d}"));
  CHECK(complaint("{message:=8}"));
  CHECK(complaint("{line:s}"));
  CHECK(complaint("{line:.2}"));
  CHECK(complaint("{message:.}"));
  CHECK_THAT(complaint("{time:%H:%Q}").value(), contains("column 7") && contains("%Q"));
  CHECK_FALSE(complaint("{line:05}"));
  CHECK_FALSE(complaint("{line:#x}"));
  CHECK_FALSE(complaint("{message:*^20.10}"));
  CHECK_FALSE(complaint("{time:%H:%M:%S.%f}"));
}

TEST_CASE("a width that would exhaust memory is refused") {
  CHECK_FALSE(complaint("{message:<1000}"));
  CHECK(complaint("{message:<1001}"));
  CHECK(complaint("{message:>2000000000}"));
  CHECK(complaint("{message:.99999999999999999999999999}"));
}

TEST_CASE("a pattern that would break a line is refused") {
  CHECK(complaint(""));
  CHECK_THAT(complaint("a\nb").value(), contains("column 2"));
  CHECK(complaint("{message:\n<8}"));
  CHECK(complaint("{message}\r"));
  CHECK(complaint("\xff"));
  CHECK(complaint("\u2028"));
  CHECK_FALSE(complaint("{time}\t\x1b[31m{message}\x1b[0m"));
}

TEST_CASE("an arbitrary pattern is refused by configuration_error or gives one clean line") {
  std::mt19937 random(7);
  constexpr std::string_view parts[] = {
      "{",         "}",  "{{", "}}",   "time",   "level",     "message",      "line",
      ":",         "<8", ">3", "%H",   "%f",     "%",         "{message}",    "{fields:>9}",
      "{line:c}",  " ",  ".2", "\xc3", "\u00e4", "{message:", "{thread:02x}", "99999",
      "{level:^9}"};
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned i = 0; i < 1 + random() % 6; ++i) text += parts[random() % std::size(parts)];
    formatter_ptr f;
    try {
      f = make_text_formatter(text);
    } catch (const configuration_error&) {
      continue;
    }
    ++accepted;
    std::string line = test::format_one(f, test::sample_record("a\nb\x1b\xff \u00fc"));
    if (line.back() != '\n') FAIL("no line end from " << text);
    line.pop_back();
    if (!test::is_clean(line)) FAIL("not clean from " << text << ": " << line);
  }
  CHECK(accepted > 1000);
}
