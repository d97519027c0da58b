// FAULTLINE_EXCEPTION: the record of a catch block.
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/ranges.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::contains;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct no_exception {};

/// Throws what `thrower` throws, logs it in a scope, and returns the record.
template <class Thrower> stored_record logged(Thrower thrower) {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg);
    try {
      thrower();
    } catch (...) {
      FAULTLINE_EXCEPTION(lg, "order {} failed in {:>6}", 4711, std::string("stock"));
    }
  }
  rt.write_all();
  const auto records = rt.target->records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].message == "order 4711 failed in  stock");
  CHECK(records[0].level == level::error);
  CHECK(rt.dumps().at(0).trigger == trigger::level);
  return records[0];
}

} // namespace

TEST_CASE("the exception statement tells type and what() beside its own message") {
  CHECK(logged([] { throw std::out_of_range("7 of 3"); }).exception == "std::out_of_range: 7 of 3");
}

TEST_CASE("the exception statement tells exceptions nested in the one caught, from the outermost in") {
  const auto thrower = [] {
    try {
      try {
        throw 5;
      } catch (...) {
        std::throw_with_nested(std::runtime_error("inner"));
      }
    } catch (...) {
      std::throw_with_nested(std::logic_error("outer"));
    }
  };
  const std::string told = logged(thrower).exception;
  CHECK_THAT(told, contains("std::logic_error"));
  CHECK_THAT(told, contains(": outer; caused by "));
  CHECK_THAT(told, contains(": inner; caused by int"));
}

TEST_CASE("an exception that is no std::exception is told by its type") {
  CHECK_THAT(logged([] { throw no_exception{}; }).exception, contains("no_exception"));
}

TEST_CASE("a what() beyond the room for it is cut and marked") {
  const std::string told = logged([] { throw std::runtime_error(std::string(4000, 'x')); }).exception;
  CHECK(told.size() < 600);
  CHECK(told.size() > 400);
  CHECK_THAT(told, contains("x[...]"));
}

TEST_CASE("a what() is cut between characters, and nothing follows what was cut") {
  std::string text; // three bytes each
  for (int i = 0; i < 400; ++i) text += "\u65e5";
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string shifted = std::string(before, 'x') + text;
    const auto throw_nested = [&shifted] {
      try {
        throw std::logic_error("inner");
      } catch (...) {
        std::throw_with_nested(std::runtime_error(shifted));
      }
    };
    for (const std::string& told :
         {logged([&] { throw std::runtime_error(shifted); }).exception, logged(throw_nested).exception}) {
      const std::size_t begin = told.find(": ") + 2;
      const std::size_t size = told.size() - begin - std::string("[...]").size();
      CHECK(size > 400);
      CHECK((size - before) % 3 == 0);
      CHECK(told.substr(begin) == shifted.substr(0, size) + "[...]");
    }
  }
}

TEST_CASE("a what() that just fills the room leaves out those nested in it, and says so") {
  const auto nested = [](std::size_t size) {
    return logged([size] {
             try {
               throw std::logic_error("inner");
             } catch (...) {
               std::throw_with_nested(std::runtime_error(std::string(size, 'x')));
             }
           })
        .exception;
  };
  CHECK_THAT(nested(400), contains("x; caused by std::logic_error: inner"));
  std::size_t longest = 0; // that is kept whole
  for (std::size_t size = 450; size < 500; ++size) {
    const std::string told = nested(size);
    CHECK(told.ends_with("[...]"));
    if (told.find(": " + std::string(size, 'x')) != std::string::npos) longest = size;
  }
  CHECK(longest > 450);
  CHECK(nested(longest).ends_with("x[...]"));
}

TEST_CASE("outside a catch block the exception statement is an error without an exception") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    FAULTLINE_EXCEPTION(rt.get(), "nothing was thrown");
  }
  CHECK(rt.messages() == strings{"nothing was thrown"});
  CHECK(rt.target->records().at(0).exception.empty());
  CHECK(rt.stats().format_errors == 0);
}

TEST_CASE("the exception statement takes arguments that are formatted where they are logged") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get());
    try {
      throw std::runtime_error("why");
    } catch (const std::exception&) {
      FAULTLINE_EXCEPTION(rt.get(), "{} and {}", std::vector<int>{1, 2}, 3);
    }
  }
  CHECK(rt.messages() == strings{"[1, 2] and 3"});
  CHECK(rt.target->records().at(0).exception == "std::runtime_error: why");
}

TEST_CASE("the exception statement leaves the exception being handled as it was") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto rethrown = [&] {
    try {
      throw std::runtime_error("kept");
    } catch (...) {
      FAULTLINE_EXCEPTION(lg, "seen");
      throw;
    }
  };
  CHECK_THROWS_WITH(rethrown(), "kept");
  CHECK(std::current_exception() == nullptr);
}

TEST_CASE("a silenced logger looks at no exception and evaluates no arguments") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.set_level(level::critical);
  int evaluated = 0;
  try {
    throw 1;
  } catch (int) {
    FAULTLINE_EXCEPTION(lg, "{}", ++evaluated);
  }
  CHECK(evaluated == 0);
  CHECK(rt.stats().logged == 0);
}
