#include <algorithm>
#include <string>

#include "base/whole_characters.hpp"
#include "format/escape.hpp"
#include "format/json_text.hpp"
#include "format/line_writer.hpp"
#include "fuzz/check.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"
#include "syslog/syslog_text.hpp"

namespace faultline::fuzz {
namespace {

using namespace detail;

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

void check_prefixes(std::string_view text, std::string_view escaped) {
  const std::size_t plain = plain_prefix(text);
  check(escaped.substr(0, plain) == text.substr(0, plain), "a plain prefix is not escaped");
  check((plain == text.size()) == (escaped == text), "all of a text is plain where nothing is escaped");
  check(is_plain_ascii(text) == std::all_of(text.begin(), text.end(), is_printable),
        "is_plain_ascii knows printable ASCII");
  const std::size_t json = plain_json_prefix(text);
  check(json == std::min(plain, text.substr(0, plain).find_first_of("\"\\")),
        "what JSON takes as it is ends at a quote, a backslash or what is not plain");
}

void check_cut(std::string_view text) {
  const std::size_t most = text.empty() ? 0 : static_cast<unsigned char>(text.back()) % (text.size() + 1);
  const std::string whole(whole_characters(text, most));
  check_equal(doctored(whole), reference_cut(text, most), "a text is cut between characters, at ", most);
  const std::string_view head = text.substr(0, most);
  const std::string_view without_rest = whole_characters(head);
  check(head.starts_with(without_rest) && head.size() - without_rest.size() <= 3,
        "a cut text loses one character at most");
  check(whole.size() == most || without_rest == whole, "a character that was cut is known without its rest");
}

void check_quoted(std::string_view text) {
  std::string quoted = "key=";
  append_quoted(text, quoted);
  quoted = doctored(quoted);
  check(test::is_clean(quoted), "quoted text is clean");
  check(quoted.size() >= 6 && quoted.starts_with("key=\"") && quoted.ends_with('"'),
        "quotes stand around it");
  for (std::size_t i = 5; i + 1 < quoted.size(); ++i) {
    check(quoted[i] != '"', "no quote ends quoted text before its end");
    if (quoted[i] == '\\') ++i;
    check(i + 1 < quoted.size(), "the last quote is not escaped");
  }
  std::string value;
  append_value(text, value);
  check(value.starts_with('"') || (!value.empty() && value.find_first_of(" \"=") == std::string::npos),
        "a value is a word or quoted");
}

} // namespace

int fuzz_escaping(const std::uint8_t* data, std::size_t size) {
  const exact_copy<char> copy(reinterpret_cast<const char*>(data), size);
  const std::string_view text(copy.data(), copy.size());
  const std::string expected = reference_escaped(text);

  std::string escaped;
  append_escaped(text, escaped);
  escaped = doctored(escaped);
  check(test::is_clean(escaped), "escaped text is clean");
  check_equal(escaped, expected, "escaping does what its definition says");
  std::string twice;
  append_escaped(escaped, twice);
  check_equal(twice, escaped, "escaping twice is escaping once");
  std::string clean;
  append_clean(text, clean);
  check_equal(clean, expected, "syslog escapes as text does");
  std::string lines;
  line_writer line(lines);
  line.append("> ");
  line.append_escaped(text);
  line.append_escaped(text);
  check_equal(line.spill(), "> " + expected + expected, "lines are escaped as text is");

  check_prefixes(text, expected);
  check_cut(text);
  check_quoted(text);
  return 0;
}

} // namespace faultline::fuzz
