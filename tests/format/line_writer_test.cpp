#include "format/line_writer.hpp"

#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

constexpr std::size_t buffer_bytes = 4096;

/// Calls `use` with a writer that has so many bytes of its buffer left, and returns what that wrote.
template <class Use> std::string behind(std::size_t left, Use use) {
  const std::string before(buffer_bytes - left, '-');
  std::string out;
  line_writer line(out);
  for (const char c : before) line.append(c);
  CHECK(out.empty());
  use(line);
  line.spill();
  REQUIRE(out.starts_with(before));
  return out.substr(before.size());
}

} // namespace

TEST_CASE("text of any length comes out whole, wherever the buffer ends") {
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
    for (const std::size_t left : {std::size_t{0}, std::size_t{1}, size, size + 1, std::size_t{1000}}) {
      REQUIRE(behind(left, [&](line_writer& line) { line.append(text); }) == text);
      REQUIRE(behind(left, [&](line_writer& line) { line.append_escaped(text); }) == text);
      REQUIRE(behind(left, [&](line_writer& line) { line.append(fixed_text(text)); }) == text);
    }
  }
}

TEST_CASE("characters one by one go on in a new buffer") {
  CHECK(behind(2, [](line_writer& line) { line.append_repeated('x', 5); }) == "xxxxx");
}

TEST_CASE("a line is begun where there is room for it, and refused where no buffer has it") {
  std::string begun(buffer_bytes, 'x');
  for (const std::size_t left : {std::size_t{5}, buffer_bytes})
    CHECK(behind(left, [&](line_writer& line) {
            char* const at = line.begin_line(begun.size());
            REQUIRE(at != nullptr);
            line.end_line(std::copy(begun.begin(), begun.end(), at));
          }) == begun);
  CHECK(behind(5, [](line_writer& line) { CHECK(line.begin_line(buffer_bytes + 1) == nullptr); }).empty());
}

TEST_CASE("a character that is escaped is found wherever in a text it stands") {
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      for (const char hostile : {'\n', '\x7f'}) {
        text[at] = hostile;
        const std::string escaped = hostile == '\n' ? "\\n" : "\\x7f";
        REQUIRE(behind(1000, [&](line_writer& line) { line.append_escaped(text); }) ==
                std::string(at, 'x') + escaped + std::string(size - at - 1, 'x'));
      }
    }
}
