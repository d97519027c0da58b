// Where statements may stand: constexpr functions, the arguments of other statements, programs without
// exceptions.
#include <chrono>
#include <string>
#include <type_traits>

#include <faultline/ostream.hpp>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "without_exceptions.hpp"

using faultline::test::manual_runtime;
using faultline::test::strings;
using enum faultline::level;

namespace {

/// What `each` statement below logs to; none of it is looked at in constant evaluation.
const faultline::logger* lg = nullptr;

constexpr int doubled(int value) {
  FAULTLINE_INFO(*lg, "doubling {}", value);
  return 2 * value;
}
static_assert(doubled(2) == 4);

constexpr int of_each_kind(int n) {
  FAULTLINE_LOG(*lg, warning, "level");
  FAULTLINE_LOG_IF(*lg, info, n > 0, "if");
  FAULTLINE_LOG_EVERY_N(*lg, info, 2, "every n");
  FAULTLINE_LOG_FIRST_N(*lg, info, n, "first n");
  FAULTLINE_LOG_ONCE(*lg, info, "once");
  FAULTLINE_LOG_EVERY(*lg, info, std::chrono::hours(n), "every");
  FAULTLINE_EXCEPTION(*lg, "exception");
  return n;
}
static_assert(of_each_kind(1) == 1);

template <class T> struct parser {
  constexpr T operator()(auto value) const {
    FAULTLINE_INFO(*lg, "parsing {}", value);
    return [value] {
      FAULTLINE_INFO(*lg, "within");
      return static_cast<T>(value);
    }();
  }
};
static_assert(parser<int>{}('a') == 'a');

consteval int never_at_run_time() {
  FAULTLINE_ERROR(*lg, "nobody sees it");
  return 1;
}

struct pair_of_numbers {
  int first;
  int second;
};

int look_up(int key) {
  FAULTLINE_DEBUG(*lg, "looking up {}", key);
  return key + 1;
}

struct places {
  manual_runtime rt;
  const faultline::logger own = rt.get();
  strings functions; ///< of the records that a handler of the logger got
  strings messages;

  places() {
    lg = &own;
    own.add_handler(faultline::make_callback_handler([this](const faultline::record_view& r) {
      functions.emplace_back(r.site->function);
      messages.emplace_back(r.message());
    }));
  }
  places(const places&) = delete;
  places& operator=(const places&) = delete;
  ~places() { lg = nullptr; }
};

} // namespace

TEST_CASE("a statement in a constexpr function makes its record at run time, with that function's name") {
  places here;
  int two = 2;
  CHECK(doubled(two) == 4);
  CHECK(parser<int>{}('b') == 'b');
  CHECK(never_at_run_time() == 1);
  here.rt.write_all();
  CHECK(here.functions == strings{"doubled", "operator()", "operator()"});
}

TEST_CASE("a statement in a constexpr function makes no record in constant evaluation") {
  places here;
  constexpr int four = doubled(2);
  CHECK(four == 4);
  here.rt.write_all();
  CHECK(here.functions.empty());
}

TEST_CASE("statements of each kind stand in constexpr functions, and count there") {
  places here;
  for (int n = 1; n <= 2; ++n) CHECK(of_each_kind(n) == n);
  here.rt.write_all();
  CHECK(here.messages == strings{"level", "if", "every n", "first n", "once", "every",
                                 "exception", // the first round
                                 "level", "if", "first n", "exception"});
}

TEST_CASE("a statement stands in another one's arguments, choice, level and logger") {
  places here;
  const auto said = [&](auto value) {
    FAULTLINE_INFO(here.own, "said");
    return value;
  };
  FAULTLINE_INFO(here.own, "value {}", [&] {
    FAULTLINE_DEBUG(here.own, "inner {}", 1);
    return look_up(2);
  }());
  FAULTLINE_LOG_IF(
      here.own, info,
      [&] {
        FAULTLINE_LOG_EVERY(here.own, info, std::chrono::hours(1), "choice");
        return true;
      }(),
      "chosen");
  FAULTLINE_LOG(
      [&] {
        FAULTLINE_LOG_ONCE(here.own, info, "logger");
        return here.own;
      }(),
      said(info), "outer");
  FAULTLINE_STREAM(here.own, info) << [&] {
    FAULTLINE_STREAM(here.own, info) << "inner stream";
    return "outer stream";
  }();
  here.rt.write_all();
  CHECK(here.messages == strings{"inner 1", "looking up 2", "value 3", "choice", "chosen", "logger", "said",
                                 "outer", "inner stream", "outer stream"});
}

TEST_CASE("structured bindings are arguments") {
  places here;
  const auto [first, second] = pair_of_numbers{1, 2};
  {
    const faultline::error_scope scope(here.own);
    FAULTLINE_ERROR(here.own, "{} and {}", first, second);
  }
  CHECK(here.rt.messages() == strings{"1 and 2"});
}

TEST_CASE("two scopes stand on one line") {
  places here;
  // clang-format off
  { FAULTLINE_SCOPE(here.own, .name = "outer"); FAULTLINE_SCOPE(here.own, .name = "inner"); FAULTLINE_ERROR(here.own, "failed"); }
  // clang-format on
  const auto dumps = here.rt.dumps();
  REQUIRE(dumps.size() == 1);
  CHECK(dumps.front().scope == "outer"); // of the two, on one logger, the one that was entered first
}

TEST_CASE("statements and scopes work in a program without exceptions") {
  places here;
  faultline::test::log_without_exceptions(here.own);
  CHECK(here.rt.messages() == strings{"held 1", "chosen", "failed 2"});
}
