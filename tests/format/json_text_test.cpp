#include "format/json_text.hpp"

#include <array>
#include <random>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/clean_text.hpp"

using namespace faultline::detail;
using faultline::test::is_clean;

namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

/// The length of the valid UTF-8 sequence that `text` begins with, or 0: by decoding and encoding again,
/// which is not how the code under test does it.
std::size_t valid_sequence(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    const nlohmann::json parsed = nlohmann::json::parse(
        "\"" +
            (size == 1 && static_cast<unsigned char>(text[0]) < 0x80 ? std::string("x")
                                                                     : std::string(text.substr(0, size))) +
            "\"",
        nullptr, false);
    if (!parsed.is_discarded()) return size;
  }
  return 0;
}

/// What a reader is to see: valid sequences as they are, any other byte as the character with its number.
std::string as_read(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t size = valid_sequence(bytes);
    if (size != 0) {
      out += bytes.substr(0, size);
      bytes.remove_prefix(size);
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes.front());
    out += static_cast<char>(0xC0U | byte >> 6U);
    out += static_cast<char>(0x80U | (byte & 0x3FU));
    bytes.remove_prefix(1);
  }
  return out;
}

/// Mixed so that valid sequences, cut ones and plain ASCII lie beside each other at every offset.
std::string random_bytes(std::mt19937& random) {
  static const std::array<std::string_view, 12> parts = {
      "\"",         "\\",           "\u00e9",   "\u009b",     "\u2028",           "\u65e5",
      "\U0001f642", "\xed\xa0\x80", "\xc0\xaf", "plain text", "\xf4\x90\x80\x80", "\xe2\x80"};
  std::string out;
  const std::size_t pieces = random() % 12;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (random() % 3 == 0)
      out += parts[random() % parts.size()];
    else if (random() % 2 == 0)
      out += static_cast<char>(random() % 256);
    else
      out.append(random() % 20, static_cast<char>(' ' + random() % 95));
  }
  return out;
}

} // namespace

TEST_CASE("plain text is a JSON string as it is") {
  for (const std::string_view text : {"", "a", "seven77", "exactly8", "nine bytes",
                                      "größer als 日本語 🙂", "12345678é12345678", "/path {} ~"}) {
    CHECK(json(text) == "\"" + std::string(text) + "\"");
    CHECK(plain_json_prefix(text) == text.size());
  }
}

TEST_CASE("quotes, backslashes and control characters are escaped wherever they stand in a word") {
  CHECK(json("a\"b\\c\n\r\t\b\f") == R"("a\"b\\c\n\r\t\b\f")");
  CHECK(json(std::string_view("\0\x1b\x7f", 3)) == R"("\u0000\u001b\u007f")");
  for (int c = 0; c < 256; ++c)
    for (std::size_t at = 0; at < 17; ++at) {
      std::string text(17, 'x');
      text[at] = static_cast<char>(c);
      const bool plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
      CHECK(plain_json_prefix(text) == (plain ? text.size() : at));
      CHECK(nlohmann::json::parse(json(text)).get<std::string>() == as_read(text));
    }
}

TEST_CASE(
    "valid characters that would drive a terminal or end a line are escapes that read back as themselves") {
  CHECK(json("\u0080\u009b\u009f\u2028\u2029") == R"("\u0080\u009b\u009f\u2028\u2029")");
  CHECK(json("\u00a0\u2027\u202a") == "\"\u00a0\u2027\u202a\"");
}

TEST_CASE("each byte of invalid UTF-8 is an escape with its number") {
  CHECK(json("\xff") == R"("\u00ff")");
  CHECK(json("a\xe9z") == R"("a\u00e9z")");
  CHECK(json("\xc3\xa9\xa9") == "\"\u00e9\\u00a9\"");       // a valid sequence and one byte more
  CHECK(json("\xed\xa0\x80") == R"("\u00ed\u00a0\u0080")"); // a surrogate
  CHECK(json("\xe2\x82") == R"("\u00e2\u0082")");           // cut off
}

TEST_CASE("random bytes are read back by another parser, on one clean line") {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = random_bytes(random);
    const std::string line = json(bytes);
    REQUIRE(is_clean(line));
    REQUIRE(nlohmann::json::parse(line).get<std::string>() == as_read(bytes));
  }
}

TEST_CASE("the other parser refuses what was not escaped") { // the control of the tests above
  for (const std::string_view wrong : {"\"\n\"", "\"\"\"", "\"\\\"", "\"\xff\"", "\"\xed\xa0\x80\""})
    CHECK(nlohmann::json::parse(wrong, nullptr, false).is_discarded());
}
