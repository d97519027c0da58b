// Records written with operator<<, and streams whose lines become records.
#include <iomanip>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <faultline/ostream.hpp>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct legacy {
  int value;
};
std::ostream& operator<<(std::ostream& out, const legacy& l) { return out << "<legacy " << l.value << '>'; }
struct failing {};
std::ostream& operator<<(std::ostream&, const failing&) { throw std::runtime_error("no text"); }

} // namespace

TEST_CASE("what a statement streams is one record with its level and place") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg);
    FAULTLINE_STREAM(lg, level::info) << "took " << std::setw(4) << 7 << " ms, " << legacy{3};
    FAULTLINE_STREAM(lg, level::debug);
    FAULTLINE_STREAM(lg, level::error) << std::hex << 255 << " {} " << std::endl;
  }
  CHECK(rt.messages() == strings{"took    7 ms, <legacy 3>", "", "ff {} "});
  const auto records = rt.target->records();
  CHECK(records.at(0).level == level::info);
  CHECK(records.at(0).line == __LINE__ - 7);
  CHECK(records.at(2).level == level::error);
  CHECK(rt.stats().format_errors == 0);
}

TEST_CASE("a streaming statement evaluates nothing behind it while its level is off, and its logger once") {
  manual_runtime rt;
  int evaluated = 0;
  int loggers = 0;
  const auto lg = [&] {
    ++loggers;
    return rt.get();
  };
  FAULTLINE_STREAM(lg(), level::trace) << ++evaluated;
  FAULTLINE_STREAM(lg(), level::off) << ++evaluated;
  CHECK(evaluated == 0);
  CHECK(loggers == 2);
  CHECK(rt.stats().logged == 0);
}

TEST_CASE("a streaming statement may be the branch of an if without braces, before its else") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    for (const bool b : {true, false}) {
      if (b)
        FAULTLINE_STREAM(rt.get(), level::trace) << "not enabled";
      else
        FAULTLINE_STREAM(rt.get(), level::error) << "else";
    }
  }
  CHECK(rt.messages() == strings{"else"});
}

TEST_CASE("of the line ends at the end of streamed text one is left out, and none within it") {
  manual_runtime rt;
  const logger lg = rt.get();
  const std::string full(1024, 'x');
  {
    const error_scope scope(lg);
    FAULTLINE_STREAM(lg, level::debug) << "one\n";
    FAULTLINE_STREAM(lg, level::debug) << "two\n\n";
    FAULTLINE_STREAM(lg, level::debug) << "a\nb" << std::endl;
    FAULTLINE_STREAM(lg, level::debug) << std::endl;
    FAULTLINE_STREAM(lg, level::debug) << full << std::endl; // no room for the line end alone
    FAULTLINE_STREAM(lg, level::debug) << full.substr(1) << "\n\n";
    FAULTLINE_STREAM(lg, level::debug) << full << "\n\n";
    FAULTLINE_STREAM(lg, level::error) << full.substr(1) << "\nmore";
  }
  CHECK(rt.messages() == strings{"one", "two\n", "a\nb", "", full, full.substr(1) + "\n", full + "[...]",
                                 full.substr(1) + "\n[...]"});
}

TEST_CASE("streamed text beyond its bound is cut, marked and counted") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_STREAM(rt.get(), level::info) << std::string(detail::stream_bytes, 'x');
    FAULTLINE_STREAM(rt.get(), level::error) << std::string(detail::stream_bytes - 1, 'x') << "yz" << 1;
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0] == std::string(detail::stream_bytes, 'x'));
  CHECK(messages[1] == std::string(detail::stream_bytes - 1, 'x') + "y[...]");
  CHECK(rt.dumps().at(0).truncated == 1);
}

TEST_CASE("what was streamed before an exception is logged, and the stream takes the exception as any does") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    try {
      FAULTLINE_STREAM(rt.get(), level::error) << "before " << failing{} << " behind";
    } catch (const std::runtime_error&) { // thrown by the operator itself, outside the stream's own guards
    }
  }
  CHECK(rt.messages() == strings{"before "});
}

TEST_CASE("lines of a stream become records, whatever pieces they come in, and flushing ends none") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get(), {.flush_level = level::info});
    log_ostream out(rt.get("legacy"), level::info);
    out << "one" << ' ' << 1 << "\ntwo\n\n"
        << std::flush << "thr" << std::flush << "ee" << std::endl
        << "rest";
  }
  CHECK(rt.messages() == strings{"one 1", "two", "three", "rest"});
  CHECK(rt.target->records().at(0).logger == "legacy");
  CHECK(rt.target->records().at(0).level == level::info);
}

TEST_CASE("a line longer than the bound goes on in the next record, and no byte of it is lost") {
  manual_runtime rt;
  const std::string text(2 * detail::stream_bytes + 10, 'x');
  {
    const error_scope scope(rt.get(), {.flush_level = level::info});
    log_ostream out(rt.get(), level::info);
    out << text << '\n' << std::string(detail::stream_bytes, 'y') << "\nend\n";
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() == 5);
  CHECK(messages[0] + messages[1] + messages[2] == text);
  CHECK(messages[3] == std::string(detail::stream_bytes, 'y'));
  CHECK(messages[4] == "end");
}

TEST_CASE("a long line goes on in the next record between characters, however it is written") {
  manual_runtime rt;
  std::string text; // three bytes each
  while (text.size() < 2 * detail::stream_bytes) text += "\u65e5";
  {
    const error_scope scope(rt.get(), {.flush_level = level::info});
    log_ostream out(rt.get(), level::info);
    out << text << '\n';
    for (const char c : text) out.put(c);
    out << '\n';
    FAULTLINE_STREAM(rt.get(), level::info) << text;
  }
  const std::size_t first = detail::stream_bytes / 3 * 3;
  const strings expected{text.substr(0, first), text.substr(first, first), text.substr(2 * first)};
  const auto messages = rt.messages();
  REQUIRE(messages.size() == 7);
  CHECK(strings(messages.begin(), messages.begin() + 3) == expected);
  CHECK(strings(messages.begin() + 3, messages.begin() + 6) == expected);
  CHECK(messages[6] == text.substr(0, first) + "[...]");
}

TEST_CASE("a stream loses no byte of a line that is not UTF-8") {
  manual_runtime rt;
  const std::string text = std::string(detail::stream_bytes - 1, 'x') + "\xE9t\xE9";
  {
    const error_scope scope(rt.get(), {.flush_level = level::info});
    log_ostream(rt.get(), level::info) << text;
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0] + messages[1] == text);
}

TEST_CASE("a stream of a silenced logger makes no records, and makes them again when it is not") {
  manual_runtime rt;
  logger lg = rt.get();
  const error_scope scope(lg, {.flush_level = level::info});
  log_ostream out(lg, level::info);
  lg.set_level(level::error);
  out << "silenced\n";
  lg.set_level(level::debug);
  out << "heard\n";
  CHECK(rt.messages() == strings{"heard"});
}

TEST_CASE("std::cout may be redirected, and threads that write to it whole lose and break no line") {
  manual_runtime rt({.outbox_bytes = std::size_t{1} << 20});
  logger lg = rt.get("stdout");
  lg.add_handler(rt.target);
  constexpr int threads = 3;
  constexpr int each = 200;
  {
    log_ostream out(lg, level::info);
    std::streambuf* const before = std::cout.rdbuf(out.rdbuf());
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t)
      running.emplace_back([t] {
        for (int i = 0; i < each; ++i) std::cout << std::to_string(t * each + i) + "\n";
      });
    for (std::thread& t : running) t.join();
    std::cout.rdbuf(before);
  }
  const auto messages = rt.messages();
  std::set<std::string> expected;
  for (int i = 0; i < threads * each; ++i) expected.insert(std::to_string(i));
  CHECK(messages.size() == expected.size());
  CHECK(std::set<std::string>(messages.begin(), messages.end()) == expected);
}

TEST_CASE("a handler that prints to the stream whose lines are records waits for nobody, and each line is "
          "counted") {
  std::ostream* printed = nullptr;
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(make_callback_handler([&printed](const record_view&) {
    if (printed != nullptr) *printed << "one\ntwo\nthe rest";
  }));
  log_ostream lines(lg, level::info);
  printed = &lines;
  lines << "half a line of the thread's";
  FAULTLINE_INFO(lg, "written");
  rt.write_all();
  CHECK(rt.stats().lost == 2);
  CHECK(rt.stats().written == 1);
  CHECK(closes(rt.stats()));
  printed = nullptr; // the half line is written when the runtime ends, after the stream
}
