#include "format/escape.hpp"

#include <random>

#include "support/catch.hpp"
#include "support/clean_text.hpp"

using namespace faultline::detail;
using faultline::test::is_clean;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(text, out);
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out;
  append_quoted(text, out);
  return out;
}

std::string value(std::string_view text) {
  std::string out;
  append_value(text, out);
  return out;
}

} // namespace

TEST_CASE("printable ASCII and valid UTF-8 stay as they are") {
  for (const std::string_view text :
       {"", "a", "seven77", "exactly8", "nine bytes", "C:\\temp\\file \"quoted\" ~ {}",
        "größer als 日本語 🙂",
        "\u00a0\u00ff\u0100\u07ff\u0800\u2027\u202a\ud7ff\ue000\ufffd\U00010000\U0010ffff"}) {
    CHECK(escaped(text) == text);
    CHECK(plain_prefix(text) == text.size());
  }
}

TEST_CASE("every control character is escaped wherever in a word it stands") {
  for (unsigned c = 0; c < 0x20; ++c)
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(c);
      CHECK(plain_prefix(text) == at);
      CHECK(is_clean(escaped(text)));
    }
  CHECK(escaped("a\nb\rc\td") == "a\\nb\\rc\\td");
  CHECK(escaped(std::string_view("\0\x1b[31m\x7f", 7)) == "\\x00\\x1b[31m\\x7f");
}

TEST_CASE("C1 controls and Unicode line ends are escaped byte by byte") {
  CHECK(escaped("\u0085") == "\\xc2\\x85");
  CHECK(escaped("\u009b31m") == "\\xc2\\x9b31m");
  CHECK(escaped("a\u2028b\u2029c") == "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9c");
  CHECK(escaped("\x9b") == "\\x9b"); // raw C1, invalid as UTF-8
}

TEST_CASE("invalid UTF-8 is escaped and the text after it kept") {
  CHECK(escaped("\xc0\xafx") == "\\xc0\\xafx");                   // overlong
  CHECK(escaped("\xe0\x80\xafx") == "\\xe0\\x80\\xafx");          // overlong
  CHECK(escaped("\xf0\x8f\xbf\xbfx") == "\\xf0\\x8f\\xbf\\xbfx"); // overlong
  CHECK(escaped("\xed\xa0\x80x") == "\\xed\\xa0\\x80x");          // a surrogate
  CHECK(escaped("\xf4\x90\x80\x80x") == "\\xf4\\x90\\x80\\x80x"); // beyond U+10FFFF
  CHECK(escaped("\xff\xfe") == "\\xff\\xfe");
  CHECK(escaped("\xc3") == "\\xc3"); // cut off
  CHECK(escaped("\xe2\x82") == "\\xe2\\x82");
  CHECK(escaped("\xf0\x9f\x99") == "\\xf0\\x9f\\x99");
  CHECK(escaped("\xc3(") == "\\xc3("); // the next character is not swallowed
}

TEST_CASE("the check for clean text rejects what it should") {
  CHECK(is_clean("größer 🙂"));
  for (const std::string_view text :
       {"a\nb", "\x1b[0m", "\x7f", "\u0085", "\u2028", "\xc3", "\xed\xa0\x80", "\xff"})
    CHECK_FALSE(is_clean(text));
}

TEST_CASE("random bytes become clean text and escaping twice changes nothing") {
  std::mt19937 random(20240501);
  // Bytes at which UTF-8's rules change come up often; others seldom find a rule's edge.
  constexpr char edges[] = "\x00\x1f\x20\x7e\x7f\x80\x85\x8f\x90\x9f\xa0\xa8\xa9\xbf\xc0\xc1\xc2\xdf\xe0"
                           "\xe2\xed\xef\xf0\xf4\xf5\xff\n\r\t\"\\ab";
  std::size_t unclean = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random() % 24, ' ');
    for (char& c : text)
      c = random() % 4 == 0 ? static_cast<char>(random()) : edges[random() % (sizeof edges - 1)];
    unclean += is_clean(text) ? 0 : 1;
    const std::string once = escaped(text);
    if (!is_clean(once) || escaped(once) != once || !is_clean(in_quotes(text)) || !is_clean(value(text)))
      FAIL("not clean: " << once);
    if (is_clean(text) != (once == text)) FAIL("clean text was changed or unclean text was not: " << once);
  }
  CHECK(unclean > 100'000);
}

TEST_CASE("a quoted text cannot end itself") {
  CHECK(in_quotes("") == "\"\"");
  CHECK(in_quotes("order 4711") == "\"order 4711\"");
  CHECK(in_quotes("a\" records=0") == "\"a\\\" records=0\"");
  CHECK(in_quotes("a\\\" b") == "\"a\\\\\\\" b\"");
  CHECK(in_quotes("a\n\xff") == "\"a\\n\\xff\"");
}

TEST_CASE("a value is bare only where it is a plain word") {
  CHECK(value("shop.order") == "shop.order");
  CHECK(value("2024-05-01T12:34:56+00:00") == "2024-05-01T12:34:56+00:00");
  CHECK(value("") == "\"\"");
  CHECK(value("a b") == "\"a b\"");
  CHECK(value("a=b") == "\"a=b\"");
  CHECK(value("größe") == "\"größe\"");
}
