#include "handlers/spool.hpp"

#include "support/catch.hpp"

using faultline::detail::spool;

namespace {

void add(spool& s, std::string_view text, std::size_t records) {
  s.text() += text;
  s.end_entry(records);
  s.commit();
}

} // namespace

TEST_CASE("a spool gives back its text in order, less what was consumed") {
  spool s;
  CHECK(s.empty());
  add(s, "one\n", 1);
  add(s, "two\nthree\n", 2);
  CHECK(s.unwritten() == "one\ntwo\nthree\n");
  s.consume(2);
  CHECK(s.unwritten() == "e\ntwo\nthree\n");
  s.consume(s.unwritten().size());
  CHECK(s.empty());
  CHECK(s.clear() == 0);
}

TEST_CASE("text that is rolled back was never there") {
  spool s;
  add(s, "kept\n", 1);
  s.text() += "half a ba";
  CHECK(s.uncommitted_bytes() == 9);
  CHECK(s.unwritten() == "kept\n");
  s.roll_back();
  add(s, "next\n", 1);
  CHECK(s.unwritten() == "kept\nnext\n");
}

TEST_CASE("text may be consumed while more is being added") {
  spool s;
  add(s, "written\n", 1);
  s.text() += "added\n";
  s.consume(8);
  CHECK(s.empty());
  CHECK(s.uncommitted_bytes() == 6);
  s.end_entry(1);
  s.commit();
  CHECK(s.unwritten() == "added\n");
  CHECK(s.clear() == 1);
}

TEST_CASE("a spool knows where an entry begins") {
  spool s;
  CHECK(s.at_boundary());
  CHECK(s.front_bytes() == 0);
  add(s, "a\nb\n", 2);
  add(s, "c\n", 1);
  CHECK(s.at_boundary());
  CHECK(s.front_bytes() == 4);
  s.consume(2); // a line's end, though not the entry's
  CHECK_FALSE(s.at_boundary());
  CHECK(s.front_bytes() == 2);
  s.consume(2);
  CHECK(s.at_boundary());
  CHECK(s.front_bytes() == 2);
}

TEST_CASE("records whose lines are not written whole are owed") {
  const std::string text = "first\nsecond\nthird\n";
  for (std::size_t written = 0; written < text.size(); ++written) {
    spool s;
    add(s, text, 3);
    add(s, "other\n", 1);
    s.consume(written);
    CHECK(s.clear() == 1 + (written < 6 ? 3U : written < 13 ? 2U : 1U));
  }
}

TEST_CASE("the lines of a dump's envelope are no records") {
  const std::string text = "--- dump 1\nfirst\nsecond\n--- end of dump 1\n";
  for (std::size_t written = 0; written < text.size(); ++written) {
    spool s;
    add(s, text, 2);
    s.consume(written);
    CHECK(s.drop_front() == (written < 17 ? 2U : written < 24 ? 1U : 0U));
    CHECK(s.empty());
  }
}

TEST_CASE("many entries consumed in small steps stay exact") {
  spool s;
  std::string expected;
  std::string seen;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    add(s, line, 1);
    expected += line;
    const std::size_t step =
        std::min<std::size_t>(s.unwritten().size(), static_cast<std::size_t>(i) * 7 % 13);
    seen += s.unwritten().substr(0, step);
    s.consume(step);
  }
  seen += s.unwritten();
  CHECK(seen == expected);
}

TEST_CASE("an entry without text is written already") {
  spool s;
  s.end_entry(5);
  s.commit();
  CHECK(s.empty());
  CHECK(s.clear() == 0);
}

TEST_CASE("several entries are committed together, or taken back together") {
  spool s;
  add(s, "kept\n", 1);
  const auto append = [&] {
    s.text() += "one\n";
    s.end_entry(1);
    s.text() += "two\nthree\n";
    s.end_entry(2);
  };
  append();
  s.consume(3); // in the middle of it
  CHECK(s.unwritten() == "t\n");
  s.roll_back();
  CHECK(s.unwritten() == "t\n");
  append();
  s.commit();
  CHECK(s.unwritten() == "t\none\ntwo\nthree\n");
  CHECK(s.whole_entries(6) == 6);
  CHECK(s.whole_entries(15) == 6);
  CHECK(s.clear() == 4);
}
