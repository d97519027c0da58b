#include "format/colored_formatter.hpp"

#include <array>

#include <faultline/formatter.hpp>

#include "support/catch.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using test::format_one;
using test::sample_record;

namespace {

std::string colored(text_formatter_options options, const record_view& r, const dump_envelope* dump) {
  return format_one(detail::make_colored_formatter(make_text_formatter("{message}", options)), r, dump);
}

/// Writes so many lines a batch, whatever is in it.
class lines_formatter final : public formatter {
 public:
  explicit lines_formatter(int lines) : lines_(lines) {}
  void format(const batch&, std::string& out) const override {
    for (int i = 0; i < lines_; ++i) out += "line\n";
  }

 private:
  int lines_;
};

} // namespace

TEST_CASE("a level beyond those that there are has no colour") {
  CHECK(colored({}, sample_record("m", static_cast<level>(200)), nullptr) == "m\n");
  CHECK(colored({}, sample_record("m", level::error), nullptr) == "\x1b[31mm\x1b[0m\n");
}

TEST_CASE("a dump is coloured with its envelope and without one") {
  dump_envelope dump;
  dump.id = 1;
  const record_view r = sample_record("m", level::warning);
  CHECK(colored({.envelope = false}, r, &dump) == "\x1b[33mm\x1b[0m\n");
  const std::string whole = colored({}, r, &dump);
  CHECK(whole.starts_with("\x1b[36m--- dump 1 "));
  CHECK(whole.ends_with("\n\x1b[33mm\x1b[0m\n\x1b[36m--- end of dump 1\x1b[0m\n"));
}

TEST_CASE("text that is not a line for each record stays as it is") {
  dump_envelope dump;
  dump.id = 1;
  for (const dump_envelope* envelope : std::array<const dump_envelope*, 2>{&dump, nullptr}) {
    const auto two = detail::make_colored_formatter(std::make_shared<lines_formatter>(2));
    CHECK(format_one(two, sample_record("m"), envelope) == "line\nline\n");
  }
}
