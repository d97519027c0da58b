#include "flusher/view_builder.hpp"

#include <array>
#include <cstring>
#include <deque>

#include "record/dictionary.hpp"
#include "support/catch.hpp"

using namespace faultline;
using namespace faultline::detail;

namespace {

struct made_site : site {
  explicit made_site(const char* text) : site{unentered, text, "file.cpp", "function", "", 7U, level::info} {}
};

/// A record of four bytes of arguments, by the statement of that format and these types.
class made_record {
 public:
  made_record(const char* format, std::string_view types) {
    static std::deque<made_site> sites; // their words name them for ever
    site& s = sites.emplace_back(format);
    set_word(dictionary::instance().enter(s, types, 24));
  }
  explicit made_record(std::uint32_t site) { set_word(std::uint64_t{site} << 32 | 24U << 16); }

  [[nodiscard]] record_reader reader() { return record_reader(bytes_.data()); }

 private:
  void set_word(std::uint64_t word) { std::memcpy(bytes_.data(), &word, sizeof word); }
  std::array<std::byte, 24> bytes_{};
};

struct builder {
  ledger counts;
  view_builder views{clock_source::monotonic, counts};

  record_view view(made_record record) {
    record_view built;
    views.build(record.reader(), nullptr, {}, nullptr, 0, built);
    return built;
  }
};

} // namespace

TEST_CASE("kept texts stay as they are until the arena is cleared, however many and long they are") {
  text_arena arena;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> texts;
    std::vector<std::string_view> kept;
    for (std::size_t i = 0; i < 200; ++i) {
      texts.emplace_back(i % 10 == 0 ? 20'000 + i : i * 20, static_cast<char>('a' + i % 26));
      kept.push_back(arena.keep(texts.back()));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(kept[i] == texts[i]);
    arena.clear();
  }
}

TEST_CASE("a record of a statement or a logger that nobody knows says so") {
  builder b;
  const record_view view = b.view(made_record(0xFFFF'FFF0U >> 8));
  CHECK(view.text == "[unknown site]");
  CHECK(view.logger == "[unknown logger]");
  CHECK(view.site->file.empty());
}

TEST_CASE("a record whose bytes do not fit its statement says so, is counted, and has no arguments") {
  builder b;
  CHECK(b.view(made_record("n={}", "i")).text == "n=0");
  CHECK(b.counts.format_errors == 0);
  CHECK(b.view(made_record("n={}", "I")).text == "[damaged record of \"n={}\"]");
  CHECK(b.view(made_record("{n} {}", "=n:iI")).text == "[damaged record of \"{n} {}\"]");
  CHECK(b.view(made_record("{n} {}", "=n:iI")).arguments.empty());
  CHECK(b.counts.format_errors == 3);
  const record_view named = b.view(made_record("{n}", "=n:i"));
  REQUIRE(named.arguments.size() == 1);
  CHECK(named.arguments[0].text == "0");
}

TEST_CASE(
    "of a context only fields that are whole are shown, and a value that does not fit its code is empty") {
  builder b;
  const std::array<std::byte, 4> value{std::byte{7}};
  context_block block;
  block.reset("scope");
  block.add_field("good", "i", value.data(), 4);
  block.add_field("short", "i", value.data(), 1);
  block.add_field("last", "i", value.data(), 4);
  const scope_context* context = b.views.build(block);
  REQUIRE(context->fields.size() == 3);
  CHECK(context->fields[0].value == "7");
  CHECK(context->fields[1].value.empty());
  CHECK(context->fields[2].value == "7");
  const_cast<char&>(block.fields()[2]) = static_cast<char>(250); // the first value's size: beyond the end
  CHECK(b.views.build(block)->fields.empty());
}
