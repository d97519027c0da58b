#include "record/dictionary.hpp"

#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace faultline;
using namespace faultline::detail;

namespace {

site make_site(const char* format) {
  return {{unentered}, format, "file.cpp", "function", "a, b", 7, level::info};
}

} // namespace

TEST_CASE("a site that is entered is found by the id in its word, its strings copied") {
  dictionary d(16, 4096);
  std::string format = "n={}";
  site s = make_site(format.c_str());
  const std::uint64_t word = d.enter(s, "i", 24);
  format = "gone";
  REQUIRE(word != unentered);
  CHECK(word == s.word.load());
  CHECK((word & 0xFF) == (bit_of(level::info) | timed));
  CHECK((word >> 16 & 0xFFFF) == 24);
  const auto* entry = d.find(static_cast<std::uint32_t>(word >> 32));
  REQUIRE(entry != nullptr);
  CHECK(entry->facts.format == "n={}");
  CHECK(entry->facts.file == "file.cpp");
  CHECK(entry->facts.function == "function");
  CHECK(entry->facts.argument_names == "a, b");
  CHECK(entry->facts.line == 7);
  CHECK(entry->types == "i");
  CHECK(entry->level == level::info);
}

TEST_CASE("a site's text beyond its bound is cut between characters") {
  dictionary d(16, 16384);
  const std::string text = std::string(4094, 'x') + "\u20ac\u20ac";
  site s = make_site(text.c_str());
  const std::uint64_t word = d.enter(s, "", 24);
  CHECK(d.find(static_cast<std::uint32_t>(word >> 32))->facts.format == std::string(4094, 'x'));
}

TEST_CASE("ids that were never given out are not found") {
  dictionary d(16, 4096);
  CHECK(d.find(0) == nullptr);
  CHECK(d.find(1) == nullptr);
  CHECK(d.find(16) == nullptr);
  CHECK(d.find(~0U) == nullptr);
}

TEST_CASE("a dictionary without room refuses, and what it has stays good") {
  dictionary few(3, 4096);
  site a = make_site("a");
  site b = make_site("b");
  site c = make_site("c");
  const auto word = few.enter(a, "", 24);
  CHECK(word != unentered);
  CHECK(few.enter(b, "", 24) != unentered);
  CHECK(few.enter(c, "", 24) == unentered);
  CHECK(c.word.load() == unentered);
  CHECK(few.find(static_cast<std::uint32_t>(word >> 32))->facts.format == "a");

  dictionary small(1000, 4096);
  int entered = 0;
  std::vector<site> sites(100);
  for (site& s : sites) {
    s.word = unentered;
    s.format = "a format of some length, so that the memory is used up soon";
    s.file = s.function = s.argument_names = "x";
    if (small.enter(s, "iii", 24) != unentered) ++entered;
  }
  CHECK(entered > 5);
  CHECK(entered < 50);
  CHECK(small.size() == static_cast<std::size_t>(entered));
}

TEST_CASE("threads that enter one site at once agree on its word") {
  for (int round = 0; round < 200; ++round) {
    dictionary d(16, 8192);
    site s = make_site("raced");
    std::vector<std::uint64_t> words(4);
    std::vector<std::thread> threads;
    for (auto& word : words) threads.emplace_back([&] { word = d.enter(s, "i", 24); });
    for (auto& t : threads) t.join();
    for (const auto word : words) REQUIRE(word == s.word.load());
    REQUIRE(d.find(static_cast<std::uint32_t>(s.word.load() >> 32))->facts.format == "raced");
  }
}

TEST_CASE("a site whose strings find no room stays out, whichever string it is") {
  const std::string filler(4096, 'x');
  std::size_t entered = 0;
  std::size_t refused = 0;
  for (std::size_t used = 3500; used < 4096; used += 8) {
    dictionary d(16, 4096);
    site large = make_site("");
    const std::string file = filler.substr(0, used - sizeof(dictionary_entry) - 5 * 16);
    large.file = file.c_str();
    REQUIRE(d.enter(large, "", 24) != unentered);
    site s = make_site("a format");
    if (const std::uint64_t word = d.enter(s, "types", 24); word != unentered) {
      ++entered;
      CHECK(d.find(static_cast<std::uint32_t>(word >> 32))->types == "types");
    } else {
      ++refused;
      CHECK(s.word.load() == unentered);
      CHECK(d.size() == 1);
    }
  }
  CHECK(entered > 10);
  CHECK(refused > 10);
}
