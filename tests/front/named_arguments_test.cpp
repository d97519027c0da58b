// faultline::kv: arguments with names.
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using faultline::test::contains;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct point {
  int x;
  double y;
};
enum class color : std::uint8_t { red, green };
using named_texts = std::vector<std::pair<std::string, std::string>>;

/// The one record of a failing scope in which `statement` logs.
template <class Statement> stored_record record_of(Statement statement) {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg);
    statement(lg);
  }
  rt.write_all();
  const auto records = rt.target->records();
  REQUIRE(records.size() == 1);
  CHECK(rt.stats().format_errors == 0);
  return records[0];
}

} // namespace

FAULTLINE_FIELDS(point, x, y);

TEST_CASE("a field refers to an argument by its name, in any order and more than once") {
  const auto r = record_of([](const logger& lg) {
    FAULTLINE_ERROR(lg, "{took} ms for {user}, {took:>6.1f}|", kv<"user">(std::string("ada")),
                    kv<"took">(2.25));
  });
  CHECK(r.message == "2.25 ms for ada,    2.2|");
  CHECK(r.arguments == named_texts{{"user", "ada"}, {"took", "2.25"}});
}

TEST_CASE("named arguments have positions too, and need not stand in the format") {
  const auto r = record_of([](const logger& lg) {
    FAULTLINE_ERROR(lg, "{} {} {n} {{n}}", kv<"n">(1), 2, kv<"only_a_field">(true));
  });
  CHECK(r.message == "1 2 1 {n}");
  CHECK(r.arguments == named_texts{{"n", "1"}, {"only_a_field", "true"}});
  CHECK(record_of([](const logger& lg) {
          FAULTLINE_ERROR(lg, "{1} {0} {b}", kv<"a">(1), kv<"b">(2));
        }).message == "2 1 2");
  CHECK(record_of([](const logger& lg) { FAULTLINE_ERROR(lg, "done", kv<"n">(7)); }).arguments ==
        named_texts{{"n", "7"}});
}

TEST_CASE("widths and precisions may be named arguments") {
  const auto r = record_of([](const logger& lg) {
    FAULTLINE_ERROR(lg, "{value:{width}.{precision}f}|{:{}}|", kv<"value">(3.14159), kv<"width">(8),
                    kv<"precision">(2));
  });
  CHECK(r.message == "    3.14| 3.14159|");
}

TEST_CASE("every type that may be logged may have a name") {
  const int number = 5;
  const auto r = record_of([&](const logger& lg) {
    FAULTLINE_ERROR(lg, "{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}", kv<"a">(std::int8_t{-1}), kv<"b">('b'),
                    kv<"c">("literal"), kv<"d">(7ms), kv<"e">(color::green), kv<"f">(point{1, 2.5}),
                    kv<"g">(2.5L), kv<"h">(true), kv<"i">(static_cast<const void*>(nullptr)),
                    kv<"j">(number > 4));
  });
  CHECK(r.message == "-1bliteral7ms1{x=1, y=2.5}2.5true0x0true");
  CHECK(r.arguments.size() == 10);
  CHECK(r.arguments.at(5).second == "{x=1, y=2.5}");
}

TEST_CASE("a named argument that is formatted at the call takes the specification of its field") {
  const std::vector<int> numbers{10, 11};
  const auto r = record_of([&](const logger& lg) {
    FAULTLINE_ERROR(lg, "{n} {numbers::#x} {}", kv<"n">(1), kv<"numbers">(numbers));
  });
  CHECK(r.message == "1 [0xa, 0xb] 1");
  CHECK(r.arguments == named_texts{{"n", "1"}, {"numbers", "[0xa, 0xb]"}});
}

TEST_CASE("a named string that is cut is marked in the message and in the field") {
  manual_runtime rt({.argument_bytes = 16});
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "<{text}>", kv<"text">(std::string(17, 'x')));
  }
  rt.write_all();
  const auto r = rt.target->records().at(0);
  CHECK(r.message == "<" + std::string(16, 'x') + "[...]>");
  CHECK(r.arguments == named_texts{{"text", std::string(16, 'x') + "[...]"}});
  CHECK(rt.dumps().at(0).truncated == 1);
}

TEST_CASE("statements without names have none, also beside others that have") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "{}", 1);
    FAULTLINE_DEBUG(rt.get(), "{a}", kv<"a">(2));
    FAULTLINE_DEBUG(rt.get(), "{}", 3);
    FAULTLINE_ERROR(rt.get(), "{b}", kv<"b">(4));
  }
  rt.write_all();
  std::vector<named_texts> all;
  for (const auto& r : rt.target->records()) all.push_back(r.arguments);
  CHECK(all == std::vector<named_texts>{{}, {{"a", "2"}}, {}, {{"b", "4"}}});
}

TEST_CASE("chosen statements and the one of a catch block take names as well") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope scope(lg);
    FAULTLINE_LOG_EVERY(lg, level::info, 1h, "limited {n}", kv<"n">(1));
    try {
      throw 1;
    } catch (int) {
      FAULTLINE_EXCEPTION(lg, "order {id}", kv<"id">(4711));
    }
  }
  CHECK(rt.messages() == strings{"limited 1", "order 4711"});
  CHECK(rt.target->records().at(1).arguments == named_texts{{"id", "4711"}});
  CHECK(rt.target->records().at(1).exception == "int");
}

TEST_CASE("the JSON formatter writes named arguments as an object, numbers and bools as such") {
  manual_runtime rt;
  rt.target->set_formatter(make_json_formatter({.envelope = false, .location = false, .thread = false}));
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{}", kv<"user">("a\"b"), kv<"ms">(1.5), kv<"ok">(false),
                    kv<"big">(std::numeric_limits<std::uint64_t>::max()),
                    kv<"nan">(std::numeric_limits<double>::quiet_NaN()), kv<"inf">(-HUGE_VALF), kv<"c">('"'),
                    kv<"kind">(color::green), 9, kv<"tiny">(1e-300));
  }
  rt.write_all();
  CHECK_THAT(
      rt.target->text(),
      contains(R"("message":"a\"b","args":{"user":"a\"b","ms":1.5,"ok":false,"big":18446744073709551615,)"
               R"("nan":"nan","inf":"-inf","c":"\"","kind":1,"tiny":1e-300},"dump":1})"));
  rt.target->clear();
  rt.target->set_formatter(make_json_formatter({.arguments = false}));
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{n}", kv<"n">(1));
  }
  rt.write_all();
  CHECK_THAT(rt.target->text(), contains(R"("message":"1")") && !contains("args"));
}

TEST_CASE("a name costs no byte in the record") {
  using plain = detail::signature<std::int32_t, detail::text, double>;
  using named = detail::signature<detail::wire_t<detail::named<"a", int>>,
                                  detail::wire_t<detail::named<"b", std::string>>,
                                  detail::wire_t<detail::named<"c", double>>>;
  STATIC_REQUIRE(plain::bytes == named::bytes);
  CHECK(std::string_view(plain::codes.data) == "isd");
  CHECK(std::string_view(named::codes.data) == "=a:i=b:s=c:d");
}
