#include <algorithm>
#include <string>

#include <faultline/configuration_error.hpp>
#include <faultline/formatter.hpp>

#include "format/envelope.hpp"
#include "fuzz/check.hpp"
#include "fuzz/hostile_record.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"

namespace faultline::fuzz {
namespace {

/// Without what a pattern may write itself: the tab and the escape character.
std::string without_the_patterns(std::string text, std::string_view pattern) {
  for (const char c : {'\t', '\x1b'})
    if (pattern.find(c) != std::string_view::npos)
      text.erase(std::remove(text.begin(), text.end(), c), text.end());
  return text;
}

void check_refusal(const configuration_error& e, std::string_view pattern) {
  check(e.option() == "pattern" && e.value() == pattern, "a refusal names the pattern");
  const std::string what = e.what();
  constexpr std::string_view mark = ": column ";
  const std::size_t at = what.rfind(mark);
  check(at != std::string::npos, "a refusal names the column");
  const std::size_t column = std::stoul(what.substr(at + mark.size()));
  check(column >= 1 && column <= pattern.size() + 1, "the column is one of the pattern's");
}

void check_lines(const std::string& lines, std::size_t count, std::string_view pattern) {
  std::string text = doctored(without_the_patterns(lines, pattern));
  check(text.ends_with('\n') &&
            std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(count),
        "one record is one line");
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  check(test::is_clean(text), "a line holds no control character and no invalid UTF-8");
}

} // namespace

int fuzz_pattern(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  const std::string pattern = in.text();
  formatter_ptr formatter;
  try {
    formatter = make_text_formatter(pattern, {.envelope = in.flag()});
  } catch (const configuration_error& e) {
    check_refusal(e, pattern);
    return 0;
  }
  const hostile_record hostile(in);
  std::array<record_view, 2> records{hostile.view(), hostile.view()};
  records[1].text_is_plain = false; // must make no difference
  std::string one;
  formatter->format(batch({records.data(), 1}), one);
  check_lines(one, 1, pattern);
  std::string two;
  formatter->format(batch(records), two);
  check_equal(two, one + one, "what is known of a message beforehand changes no line");

  std::string dump;
  formatter->format(batch(records, &hostile.dump()), dump);
  check(dump == two || dump.size() > two.size(), "a dump has its records");
  const std::size_t around = dump == two ? 0 : 2;
  check_lines(dump, 2 + around, pattern);
  check(around == 0 || !detail::looks_like_envelope(one), "no record passes for an envelope");
  return 0;
}

} // namespace faultline::fuzz
