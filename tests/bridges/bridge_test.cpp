// Records whose text another logger has made, and storms of them.
#include <algorithm>
#include <cstring>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <faultline/bridge.hpp>
#include <faultline/ostream.hpp>

#include "bridges/storm.hpp"
#include "record/dictionary.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using test::manual_runtime;
using test::rare_error_keeps_context;
using test::soon_a_storm;
using test::strings;

namespace {

/// A runtime whose target writes each record with what it shows of its place.
struct placed_records {
  strings seen;
  manual_runtime rt{{.default_target = make_callback_handler([this](const record_view& r) {
                       seen.push_back(fmt::format("{} {} {}:{} {}", to_string(r.level), r.text, r.site->file,
                                                  r.site->line, r.site->function));
                     }),
                     .storm_dumps_per_second = 0}};
};

/// The last line that tells of a storm, with the number of failures left out.
std::string storm_line(manual_runtime& rt) {
  rt.target->clear();
  (void)rt.get_runtime().stop();
  std::string line;
  for (const auto& m : rt.target->messages())
    if (m.starts_with("storm: the context of ")) line = m.substr(m.find(" failures"));
  return line;
}

} // namespace

TEST_CASE("a text of another logger is a record with its level and place") {
  placed_records p;
  const logger lg = p.rt.get("app");
  {
    const error_scope scope(lg);
    log_text(lg, level::debug, "a {} text", {"/src/a/b.cpp", 7, "f"});
    log_text(lg, level::info, "with its place", {.file = "/src/a/b.cpp", .line = 8, .in_text = true});
    log_text(lg, level::warning, "without one");
    log_text(lg, level::warning, "nor that", {.file = "", .line = 9, .in_text = true});
    log_text(lg, level::error, "no folder", {"b.cpp", 10, nullptr, true});
  }
  p.rt.write_all();
  CHECK(p.seen == strings{"DEBUG a {} text /src/a/b.cpp:7 f", "INFO with its place (b.cpp:8) /src/a/b.cpp:8 ",
                          "WARNING without one :0 ", "WARNING nor that :0 ",
                          "ERROR no folder (b.cpp:10) b.cpp:10 "});
}

TEST_CASE("a text below its logger's level, or of no level, is no record") {
  manual_runtime rt;
  logger lg = rt.get("app");
  lg.set_level(level::info);
  for (const level l : {level::debug, level::off, static_cast<level>(200)}) log_text(lg, l, "none");
  CHECK(rt.stats().logged == 0);
  log_text(lg, level::info, "one");
  CHECK(rt.stats().logged == 1);
}

TEST_CASE("a place's names may go when the text is logged") {
  placed_records p;
  const logger lg = p.rt.get("app");
  for (const char* const name : {"first.cpp", "other.cpp"}) {
    char file[16];
    std::strcpy(file, name); // at the same address
    const error_scope scope(lg);
    log_text(lg, level::error, "text", {file, 7, file});
    std::memset(file, 'x', sizeof file - 1);
  }
  p.rt.write_all();
  CHECK(p.seen == strings{"ERROR text first.cpp:7 first.cpp", "ERROR text other.cpp:7 other.cpp"});
}

TEST_CASE("a rare error has its context in a storm of an error of another place") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("app");
  const auto at = [lg](const char* file, std::uint32_t line) {
    return [=](auto...) { log_text(lg, level::error, "the same", {file, line, nullptr}); };
  };
  CHECK(rare_error_keeps_context(rt, lg, at("a.cpp", 1), at("a.cpp", 2)));
  CHECK(rare_error_keeps_context(rt, lg, at("a.cpp", 1), at("b.cpp", 1)));
  CHECK(storm_line(rt) == " failures at a.cpp:1 was suppressed");
}

TEST_CASE("an error of the place that storms has no context") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("app");
  const auto error = [&](auto...) { log_text(lg, level::error, "the same", {"a.cpp", 1, nullptr}); };
  CHECK_FALSE(rare_error_keeps_context(rt, lg, error, error));
}

TEST_CASE("a rare error has its context in a storm of another one of the same place, by its words") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("app");
  const auto here = [&](const std::string& text) {
    log_text(lg, level::error, text, {"one.cpp", 1, nullptr});
  };
  CHECK(rare_error_keeps_context(
      rt, lg, [&](int i) { here(fmt::format("common {}", i)); }, [&] { here("rare 1"); }));
  for (const char* word : {"c", "d", "e", "f", "g", "h"}) here(word); // with the two above a place's eight
  CHECK_FALSE(rare_error_keeps_context(
      rt, lg, [&](int i) { here(std::string(1, static_cast<char>('i' + i % 10))); },
      [&] { here("rarest"); }));
}

TEST_CASE("without places errors are told apart by their words, not by what has digits in it") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("app");
  const auto common = [&](int i) {
    log_text(lg, level::error, fmt::format("order {} of 0x{:x} failed: no stock", i, i * 7919));
  };
  CHECK(rare_error_keeps_context(rt, lg, common,
                                 [&] { log_text(lg, level::error, "order 7 of 0x8 failed: fire"); }));
  CHECK(rare_error_keeps_context(rt, lg, common,
                                 [&] { log_text(lg, level::critical, "order 7 of 0x8 failed: no stock"); }));
  CHECK_FALSE(rare_error_keeps_context(rt, lg, common, [&] { common(4711); }));
  CHECK(storm_line(rt) == " failures of \"order # of # failed: no stock\" was suppressed");
}

TEST_CASE("errors of two loggers without places are told apart, whatever their texts") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("app");
  const auto error = [&](const char* name) {
    return [other = rt.get(name)](auto...) { log_text(other, level::error, "failed"); };
  };
  CHECK(rare_error_keeps_context(rt, lg, error("app.one"), error("app.two")));
  CHECK_FALSE(rare_error_keeps_context(rt, lg, error("app.one"), error("app.one")));
}

TEST_CASE("words are told between characters, up to 64 bytes of them") {
  const auto told = [](std::string_view text) {
    manual_runtime rt(soon_a_storm());
    const logger lg = rt.get("words");
    const auto error = [&](auto...) { log_text(lg, level::error, text); };
    CHECK_FALSE(rare_error_keeps_context(rt, lg, error, error));
    const std::string line = storm_line(rt);
    REQUIRE(line.starts_with(" failures of \""));
    return line.substr(14, line.find("\" was suppressed") - 14);
  };
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ö";
  CHECK(told("x" + umlauts) == "x" + umlauts.substr(0, 62));
  CHECK(told("go " + umlauts) == "go");
  CHECK(told(std::string(64, 'a') + " b") == std::string(64, 'a'));
  for (std::size_t n = 61; n < 70; ++n)
    CHECK(told(std::string(n, 'a') + " b c") ==
          std::string(std::min<std::size_t>(n, 64), 'a') + (n < 63 ? " b" : ""));
  CHECK(told(std::string(60, 'a') + " b c") == std::string(60, 'a') + " b c");
  CHECK(told("") == "");
  CHECK(told("  two  spaces ") == "two  spaces");
}

TEST_CASE("errors that a log_ostream makes are told apart by their lines") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("streamed");
  log_ostream out(lg, level::error);
  const auto common = [&](int i) { out << "common " << i << '\n'; };
  CHECK(rare_error_keeps_context(rt, lg, common, [&] { out << "rare\n"; }));
  CHECK_FALSE(rare_error_keeps_context(rt, lg, common, [&] { common(7); }));
}

TEST_CASE("threads that meet a place at once each make a record of that place") {
  constexpr std::uint32_t places = 200;
  constexpr std::size_t threads = 4;
  std::vector<std::uint32_t> wrong;
  std::size_t seen = 0;
  manual_runtime rt({.default_target = make_callback_handler([&](const record_view& r) {
                       ++seen;
                       if (r.site->file != "racing.cpp" || r.text != std::to_string(r.site->line))
                         wrong.push_back(r.site->line);
                     }),
                     .buffers_per_thread = 8,
                     .outbox_bytes = std::size_t{1} << 20U});
  logger lg = rt.get("app");
  lg.add_handler(make_null_handler());
  {
    std::latch ready(threads);
    std::vector<std::jthread> all;
    for (std::size_t t = 0; t < threads; ++t)
      all.emplace_back([lg, &ready] {
        ready.arrive_and_wait();
        const error_scope scope(lg, {.capacity = 1000});
        for (std::uint32_t line = 1; line <= places; ++line)
          log_text(lg, level::info, std::to_string(line), {"racing.cpp", line, nullptr});
        log_text(lg, level::error, "0", {"racing.cpp", 0, nullptr});
      });
  }
  rt.write_all();
  CHECK(seen == threads * (places + 1));
  CHECK(wrong.empty());
}

// The last case, since it uses up what a process has.
TEST_CASE("places and texts beyond the bounds are records all the same, and share their logger's site") {
  placed_records p;
  const logger lg = p.rt.get("bounds");
  const std::size_t before = detail::dictionary::instance().size();
  constexpr std::uint32_t most = 20'000;
  for (std::uint32_t i = 1; i <= most; ++i) {
    const error_scope scope(lg);
    const std::string word{static_cast<char>('a' + i % 26), static_cast<char>('a' + i / 26 % 26),
                           static_cast<char>('a' + i / 676 % 26), static_cast<char>('a' + i / 17'576)};
    log_text(lg, level::info, word, {"bounds.cpp", i, "f", true});
    log_text(lg, level::error, word);
    p.rt.write_all();
  }
  REQUIRE(p.seen.size() == 2 * most);
  const std::set<std::string> distinct(p.seen.begin(), p.seen.end());
  CHECK(distinct.size() == 2 * most); // each with its own text
  CHECK(p.seen[0] == "INFO baaa (bounds.cpp:1) bounds.cpp:1 f");
  std::size_t unplaced = 0;
  for (const std::string& line : p.seen)
    unplaced += line.starts_with("INFO") && line.ends_with(" :0 ") ? 1 : 0;
  CHECK(unplaced > most - 8192);
  const std::size_t sites = detail::dictionary::instance().size() - before;
  CHECK(sites > 7000);
  CHECK(sites <= 8192 + 2);

  const auto error = [](logger by, const char* text) {
    return [=](auto...) { log_text(by, level::error, text); };
  };
  const auto line_of = [&](const char* name) {
    manual_runtime rt(soon_a_storm());
    const logger full = rt.get(name);
    CHECK_FALSE(rare_error_keeps_context(rt, full, error(full, "common here"), error(full, "rare here")));
    return storm_line(rt);
  };
  CHECK(line_of("bounds") == " failures of bounds was suppressed");
  CHECK(line_of("latecomer") == " failures of no known place was suppressed");
}
