#include "base/whole_characters.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

using faultline::detail::whole_characters;

namespace {

constexpr std::string_view characters[] = {"\u00e9", "\u20ac",     "\U0001F600", "\u0080",
                                           "\u07ff", "\u0800",     "\ud7ff",     "\ue000",
                                           "\uffff", "\U00010000", "\U0010FFFF"};

/// No UTF-8, whatever follows: Latin-1, bytes that begin nothing, overlong forms, surrogates, beyond
/// U+10FFFF.
constexpr std::string_view wrong[] = {"\xE9t\xE9 ",         "\x80\x80\x80\x80\x80", "\xFF\xFE\xFD\xFC\xF8",
                                      "\xC0\x80\xC1\xBF..", "\xE0\x80\x80\xE0\x9F", "\xED\xA0\x80\xED\xBF",
                                      "\xF0\x80\x80\x80..", "\xF4\x90\x80\x80..",   "\xF5\x80\x80\x80.."};

} // namespace

TEST_CASE("a text that was cut ends in whole characters") {
  CHECK(whole_characters("") == "");
  CHECK(whole_characters("ab") == "ab");
  for (const std::string_view whole : characters) {
    CHECK(whole_characters(whole) == whole);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      CHECK(whole_characters(whole.substr(0, size)).empty());
      CHECK(whole_characters("ab" + std::string(whole.substr(0, size))) == "ab");
    }
  }
}

TEST_CASE("of a text that was cut, what begins no character stays") {
  for (const std::string_view text : {"\x80", "\x80\x80\x80", "\x80\x80\x80\x80\x80", "\xFF", "\xC1", "\xF5",
                                      "\xE0\x80", "\xED\xA0", "\xF0\x80", "\xF4\x90", "\xE9t"})
    CHECK(whole_characters(text) == text);
}

TEST_CASE("a cut to a bound leaves no part of a character, and takes nothing else away") {
  for (const std::string_view whole : characters) {
    const std::string text = "ab" + std::string(whole) + "cd";
    for (std::size_t most = 0; most <= text.size() + 1; ++most) {
      const bool within = most > 2 && most < 2 + whole.size();
      CHECK(whole_characters(text, most) == std::string_view(text).substr(0, within ? 2 : most));
    }
    CHECK(whole_characters(whole, whole.size() - 1).empty());
  }
}

TEST_CASE("a text that is not UTF-8 is cut at the byte") {
  for (const std::string_view text : wrong)
    for (std::size_t most = 0; most <= text.size(); ++most)
      CHECK(whole_characters(text, most) == text.substr(0, most));
  // It ends within its last character already.
  CHECK(whole_characters("ab\xE2\x82", 3) == "ab\xE2");
}
