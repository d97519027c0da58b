#include <memory>
#include <stdexcept>
#include <string>

#include <pthread.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("log_if_errors passes arguments and result through, references included") {
  manual_runtime rt;
  int value = 1;
  const auto same = log_if_errors(rt.get())([](int& x) -> int& { return x; });
  CHECK(&same(value) == &value);
  const auto moved = log_if_errors(rt.get())([](std::unique_ptr<int> p) { return p; });
  CHECK(*moved(std::make_unique<int>(7)) == 7);
  int calls = 0;
  auto nothing = log_if_errors(rt.get())([&calls]() mutable { ++calls; });
  nothing();
  CHECK(calls == 1);
  CHECK(rt.messages().empty());
}

TEST_CASE("log_if_errors logs an exception with type, what() and nested exceptions, and throws it on") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  const auto failing = log_if_errors(lg, {.name = "job"})([&] {
    FAULTLINE_DEBUG(lg, "before");
    try {
      throw std::out_of_range("7");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no stock"));
    }
  });
  CHECK_THROWS_WITH(failing(), "no stock");
  const auto records = (rt.write_all(), rt.target->records());
  REQUIRE(records.size() == 2);
  CHECK(records[1].message == "call failed");
  CHECK(records[1].exception.find("std::runtime_error") != std::string::npos);
  CHECK(records[1].exception.find("no stock; caused by std::out_of_range: 7") != std::string::npos);
  CHECK(records[1].scope == "job");
  CHECK(rt.dumps().at(0).trigger == trigger::exception);
}

TEST_CASE("log_if_errors logs `call failed` once, and each guarded function on the way out logs its own") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto inner = log_if_errors(lg)([] { throw 5; });
  const auto outer = log_if_errors(lg)([&] { inner(); });
  CHECK_THROWS_AS(outer(), int);
  CHECK(rt.messages() == strings{"call failed", "call failed"});
  CHECK(rt.target->records().at(0).exception == "int");
}

TEST_CASE("a result that the predicate calls a failure writes the scope and is returned") {
  manual_runtime rt;
  const logger lg = rt.get();
  const auto status = log_if_errors(lg).fails_when([](int r) { return r < 0; })([&](int r) {
    FAULTLINE_DEBUG(lg, "returning {}", r);
    return r;
  });
  CHECK(status(1) == 1);
  CHECK(rt.messages().empty());
  CHECK(status(-1) == -1);
  CHECK(rt.messages() == strings{"returning -1"});
  CHECK(rt.dumps().at(0).trigger == trigger::result);
}

TEST_CASE("a guarded function keeps the name and the target it was made with") {
  manual_runtime rt;
  const auto target = make_memory_handler();
  const logger lg = rt.get();
  const auto make = [&] {
    const std::string name = "a name that ends with this block, too long for any small string";
    return log_if_errors(lg, {.name = name, .target = target})([&] { FAULTLINE_ERROR(lg, "error"); });
  };
  make()();
  rt.write_all();
  CHECK(target->messages() == strings{"error"});
  CHECK(target->records().at(0).scope == "a name that ends with this block, too long for any small string");
}

TEST_CASE("a target that only the options hold lives long enough") {
  manual_runtime rt;
  strings seen;
  const logger lg = rt.get();
  scope_options options{
      .target = make_callback_handler([&](const record_view& r) { seen.emplace_back(r.message()); })};
  const auto guarded = log_if_errors(lg, options)([&] { FAULTLINE_ERROR(lg, "error"); });
  options = {};
  guarded();
  rt.write_all();
  CHECK(seen == strings{"error"});
}

TEST_CASE("a thread that ends by pthread_exit inside a guarded function has not failed") {
  manual_runtime rt;
  const logger lg = rt.get();
  static logger shared = lg;
  shared = lg;
  pthread_t thread{};
  REQUIRE(pthread_create(
              &thread, nullptr,
              [](void*) -> void* {
                log_if_errors(shared)([] {
                  FAULTLINE_DEBUG(shared, "held");
                  pthread_exit(nullptr);
                })();
                return nullptr;
              },
              nullptr) == 0);
  pthread_join(thread, nullptr);
  CHECK(rt.messages().empty());
}
