// Every type of argument, through the record and back, equal to what fmt writes directly.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct point {
  int x;
  double y;
};
struct segment {
  point from;
  point to;
  bool closed;
  char tag;
};
enum class color : std::uint8_t { red, green };
enum old_style { first, second };

struct custom {
  int value;
};
struct throwing {};
struct chatty {};
const logger* chatty_logger = nullptr;

} // namespace

FAULTLINE_FIELDS(point, x, y);
FAULTLINE_FIELDS(segment, from, to, closed, tag);

template <> struct fmt::formatter<custom> : fmt::formatter<int> {
  template <class Context> auto format(const custom& c, Context& context) const {
    return fmt::formatter<int>::format(c.value, context);
  }
};
template <> struct fmt::formatter<throwing> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  template <class Context> auto format(const throwing&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("no text");
  }
};
template <> struct fmt::formatter<chatty> : fmt::formatter<std::string_view> {
  template <class Context> auto format(const chatty&, Context& context) const {
    FAULTLINE_DEBUG(*chatty_logger, "from inside a formatter");
    return fmt::formatter<std::string_view>::format("value", context);
  }
};

/// Logs in a failing scope and compares with fmt.
#define CHECK_SAME(...)                                                                                      \
  do {                                                                                                       \
    manual_runtime rt;                                                                                       \
    {                                                                                                        \
      const error_scope scope(rt.get());                                                                     \
      FAULTLINE_ERROR(rt.get(), __VA_ARGS__);                                                                \
    }                                                                                                        \
    CHECK(rt.messages() == strings{fmt::format(__VA_ARGS__)});                                               \
    CHECK(rt.stats().format_errors == 0);                                                                    \
  } while (false)

TEST_CASE("integers of every width come out as fmt writes them") {
  CHECK_SAME("{} {} {} {}", std::int8_t{-128}, std::uint8_t{255}, std::int16_t{-32768}, std::uint16_t{65535});
  CHECK_SAME("{} {} {} {}", std::numeric_limits<int>::min(), ~0U, std::numeric_limits<std::int64_t>::min(),
             ~0ULL);
  CHECK_SAME("{:#x} {:b} {:08d} {:+} {:>6} {:<6}|", 255, 5, 42, 7, 1L, 2ULL);
  CHECK_SAME("{:c} {:d}", 65, 'A');
}

TEST_CASE("floating point, bool, char and pointers come out as fmt writes them") {
  CHECK_SAME("{} {} {} {}", 0.1F, 0.1, 1e300, std::numeric_limits<double>::quiet_NaN());
  CHECK_SAME("{:.3f} {:e} {:g} {}", 3.14159, 12345.678, 0.0001, 2.5L);
  CHECK_SAME("{} {} {} {:>3}", true, false, 'x', 'y');
  int i = 0;
  CHECK_SAME("{} {}", static_cast<void*>(&i), nullptr);
  CHECK_SAME("{}", static_cast<const void*>(&i));
}

TEST_CASE("strings of every kind are copied and come out as fmt writes them") {
  std::string changing = "before";
  char array[] = "array";
  char* pointer = array;
  const char* constant = "constant";
  CHECK_SAME("{} {} {} {} {} {}", changing, std::string_view("view"), array, pointer, constant, "literal");
  CHECK_SAME("{:>10}|{:.2}|{:-^9}|{:?<4}", "right", "cut off", "mid", "x");
  CHECK_SAME("{}{}", "", std::string());
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "{}", changing);
    changing = "after";
    FAULTLINE_ERROR(rt.get(), "{}", std::string_view("with\0zero", 9));
  }
  CHECK(rt.messages() == strings{"before", std::string("with\0zero", 9)});
}

TEST_CASE("a null C string is written as (null) and not followed") {
  manual_runtime rt;
  const char* null = nullptr;
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{}", null);
  }
  CHECK(rt.messages() == strings{"(null)"});
}

TEST_CASE("positions, dynamic widths, escaped braces and repeated arguments come out as fmt writes them") {
  CHECK_SAME("{1} {0} {1}", "a", "b");
  CHECK_SAME("{:{}} {:.{}f}|", "w", 6, 3.14159, 2);
  CHECK_SAME("{{}} {{{}}} }}{{", 1);
  CHECK_SAME("{0:>{1}}", 7, 4);
  CHECK_SAME("no arguments");
  CHECK_SAME("{:{}}", std::string("dynamic"), 10);
}

TEST_CASE("durations and time points come out as fmt writes them") {
  using namespace std::chrono;
  CHECK_SAME("{} {} {} {} {} {}", 5ns, 6us, 7ms, 8s, 9min, 10h);
  CHECK_SAME("{:%M:%S} {:>8}|", 125s, 3ms);
  CHECK_SAME("{:>{}}|{:s}", 5ms, 10, "text");
  CHECK_SAME("{2:>{0}}|{1:s}", 10, "text", 5ms);
  CHECK_SAME("{:%Y-%m-%d %H:%M}", system_clock::time_point(1'700'000'000s));
  CHECK_SAME("{}", duration<double>(1.5));
}

TEST_CASE("scoped enums without a formatter are numbers, unscoped ones as fmt has them") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{} {:>3}", color::green, second);
  }
  CHECK(rt.messages() == strings{"1   1"});
}

TEST_CASE("types that list their fields are written field by field, nested ones too") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "{}", point{1, 2.5});
    FAULTLINE_DEBUG(rt.get(), "{:>14}|", point{1, 2.5});
    FAULTLINE_ERROR(rt.get(), "{} {}", segment{{1, 2}, {3, 4}, true, 'z'}, 5);
  }
  CHECK(rt.messages() ==
        strings{"{x=1, y=2.5}", "  {x=1, y=2.5}|", "{from={x=1, y=2}, to={x=3, y=4}, closed=true, tag=z} 5"});
}

TEST_CASE("types with a formatter of their own are formatted at the call, with their specification") {
  CHECK_SAME("{} {:>5} {:#x} and {}", custom{7}, custom{8}, custom{255}, "raw");
  CHECK_SAME("{:>5} {:{}} {:.{}}|", custom{7}, 3, 5, "text", 2);
  const std::vector<int> numbers{1, 2, 3};
  CHECK_SAME("{} {}", numbers, 4);
}

TEST_CASE("a formatter that throws at the call becomes text and throws nothing into the program") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{} {}", throwing{}, 1);
  }
  CHECK(rt.messages() == strings{"[no text] 1"});
}

TEST_CASE("a formatter that logs does not disturb the statement it is called from") {
  manual_runtime rt;
  const logger inner = rt.get("inner");
  chatty_logger = &inner;
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{}", chatty{});
  }
  CHECK(rt.messages() == strings{"from inside a formatter", "value"});
}

TEST_CASE("arguments beyond their bound are cut, marked and counted") {
  manual_runtime rt({.argument_bytes = 16});
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "{}|{}", std::string(16, 'a'), std::string(17, 'b'));
    FAULTLINE_DEBUG(rt.get(), "{}", "aaaaaaaaaaaaaaaä");
    FAULTLINE_ERROR(rt.get(), "{:>24}|", "12345678901234567");
  }
  CHECK(rt.messages() == strings{std::string(16, 'a') + "|" + std::string(16, 'b') + "[...]",
                                 "aaaaaaaaaaaaaaa[...]", "   1234567890123456[...]|"});
  CHECK(rt.dumps().at(0).truncated == 3);
}

TEST_CASE("a record never outgrows its segment, however many long strings it has") {
  manual_runtime rt({.buffer_bytes = 4096, .outbox_bytes = 4096, .argument_bytes = 65'535});
  const std::string large(1U << 20, 'x');
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{} {} {}", large, large.c_str(), std::string_view(large));
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].size() > 900);
  CHECK(messages[0].size() < 1100);
  CHECK(rt.dumps().at(0).truncated == 1);
}

TEST_CASE("an argument that fmt would format beyond the scratch memory is cut and marked") {
  manual_runtime rt;
  const std::vector<int> numbers(1000, 7);
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{}|{}", numbers, 1);
  }
  const auto message = rt.messages().at(0);
  CHECK(message.size() == detail::scratch_bytes + std::string("[...]|1").size());
  CHECK(message.substr(message.size() - 7) == "[...]|1");
  CHECK(rt.dumps().at(0).truncated == 1);
}

TEST_CASE("a level known at run time is the record's level") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    for (const level l : {level::debug, level::warning, level::critical})
      FAULTLINE_LOG(rt.get(), l, "{}", to_string(l));
  }
  rt.write_all();
  const auto records = rt.target->records();
  REQUIRE(records.size() == 3);
  for (const auto& r : records) CHECK(r.message == to_string(r.level));
}

TEST_CASE("a record tells its site, its thread and a time near now") {
  manual_runtime rt;
  const auto before = std::chrono::system_clock::now();
  {
    const error_scope scope(rt.get("app.db"));
    FAULTLINE_ERROR(rt.get("app.db"), "error");
  }
  rt.write_all();
  const auto r = rt.target->records().at(0);
  CHECK(r.logger == "app.db");
  CHECK(r.file.find("statement_test.cpp") != std::string::npos);
  CHECK(r.line == __LINE__ - 6);
  CHECK(r.thread_id == static_cast<std::uint32_t>(::gettid()));
  CHECK(r.time_is_exact);
  CHECK(r.time > before - std::chrono::milliseconds(50));
  CHECK(r.time < before + std::chrono::seconds(50));
}

TEST_CASE("with the scope's clock the order is kept, and times are marked as inexact but for the trip") {
  manual_runtime rt({.clock = clock_kind::scope});
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "1");
    FAULTLINE_DEBUG(rt.get(), "2");
    FAULTLINE_ERROR(rt.get(), "3");
  }
  rt.write_all();
  const auto r = rt.target->records();
  REQUIRE(r.size() == 3);
  CHECK(r[0].time == r[1].time);
  CHECK(r[1].time <= r[2].time);
  CHECK_FALSE(r[0].time_is_exact);
  CHECK(r[2].time_is_exact);
}

TEST_CASE("with the coarse clock a record has the later of the scope's reading and the flusher's tick") {
  manual_runtime rt({.clock = clock_kind::coarse});
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "before any tick");
    FAULTLINE_DEBUG(rt.get(), "still before");
    rt.write_all(); // publishes a tick
    FAULTLINE_DEBUG(rt.get(), "after a tick");
    FAULTLINE_DEBUG(rt.get(), "no tick since");
    FAULTLINE_ERROR(rt.get(), "exact");
  }
  rt.write_all();
  const auto r = rt.target->records();
  REQUIRE(r.size() == 5);
  CHECK(r[0].time == r[1].time);
  CHECK(r[1].time < r[2].time);
  CHECK(r[2].time == r[3].time);
  CHECK(r[3].time <= r[4].time);
  CHECK_FALSE(r[2].time_is_exact);
  CHECK(r[4].time_is_exact);
}

TEST_CASE("a tick older than the scope leaves its records the scope's reading") {
  manual_runtime rt({.clock = clock_kind::coarse});
  rt.write_all(); // a tick
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "held");
    FAULTLINE_ERROR(rt.get(), "error");
  }
  rt.write_all();
  const auto r = rt.target->records();
  REQUIRE(r.size() == 2);
  const auto start = r[1].time - rt.target->dumps().at(0).duration;
  CHECK(r[0].time - start < std::chrono::microseconds(1)); // each is rounded by itself
  CHECK(start - r[0].time < std::chrono::microseconds(1));
}

TEST_CASE("with the coarse clock a thread's times never go back, whatever the flusher does meanwhile") {
  runtime rt({.clock = clock_kind::coarse, .flusher = flusher_mode::spinning, .storm_dumps_per_second = 0});
  const auto target = make_memory_handler();
  const logger lg = rt.get_logger("app");
  constexpr int scopes = 200;
  for (int i = 0; i < scopes; ++i) {
    const error_scope scope(lg, {.target = target});
    for (int k = 0; k < 90; ++k) FAULTLINE_DEBUG(lg, "held {}", k);
    FAULTLINE_ERROR(lg, "error {}", i);
    if (i % 16 == 0) REQUIRE(rt.flush());
  }
  REQUIRE(rt.flush());
  const auto records = target->records();
  REQUIRE(records.size() > scopes);
  std::size_t later = 0;
  for (std::size_t i = 1; i < records.size(); ++i) {
    // Two conversions of neighbouring ticks may round to different sides, and a new rate bends them.
    REQUIRE(records[i].time + std::chrono::microseconds(50) > records[i - 1].time);
    later += records[i].time > records[i - 1].time ? 1 : 0;
  }
  CHECK(later >= scopes - 1);
}
