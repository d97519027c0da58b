// scope_options::pin_first: the first records of a scope outlast both of its bounds.
#include <string>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

void log_numbers(logger lg, int from, int to) {
  for (int i = from; i < to; ++i) FAULTLINE_DEBUG(lg, "{}", i);
}

} // namespace

TEST_CASE("a scope writes its first records, tells of the gap, and writes the last `capacity`") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope scope(lg, {.capacity = 3, .pin_first = 2});
    log_numbers(lg, 0, 10);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"0", "1", "8", "9", "error"});
  CHECK(rt.dumps().at(0).records == 5);
  CHECK(rt.dumps().at(0).forgotten == 6);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope with few records writes each once") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope scope(lg, {.capacity = 3, .pin_first = 2});
    log_numbers(lg, 0, 3);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"0", "1", "2", "error"});
  CHECK(rt.dumps().at(0).forgotten == 0);
}

TEST_CASE("pinned records outlast a buffer that is overwritten many times") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  constexpr int many = 5000;
  {
    const error_scope scope(lg, {.capacity = 2, .pin_first = 3});
    log_numbers(lg, 0, many);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"0", "1", "2", std::to_string(many - 1), "error"});
  CHECK(rt.dumps().at(0).forgotten == many + 1 - 5);
  CHECK(closes(rt.stats()));
}

TEST_CASE("after a trip the first records are those that come next") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  {
    const error_scope scope(lg, {.capacity = 1, .pin_first = 1});
    log_numbers(lg, 0, 500);
    FAULTLINE_ERROR(lg, "first");
    log_numbers(lg, 500, 1000);
    FAULTLINE_ERROR(lg, "second");
  }
  CHECK(rt.messages() == strings{"0", "first", "500", "second"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope that ends well forgets what it pinned, and the next one starts anew") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  for (int round = 0; round < 2; ++round) {
    const error_scope scope(lg, {.capacity = 1, .pin_first = 2});
    log_numbers(lg, 0, 500);
  }
  CHECK(rt.messages().empty());
  CHECK(rt.stats().discarded == 1000);
  {
    const error_scope scope(lg, {.capacity = 1, .pin_first = 1});
    log_numbers(lg, 1000, 1500);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"1000", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("nested scopes pin their own first records, and each target gets them once") {
  manual_runtime rt({.buffer_bytes = 4096});
  const auto other = make_memory_handler();
  const logger lg = rt.get();
  {
    const error_scope outer(lg,
                            {.target = other, .flush_level = level::critical, .capacity = 1, .pin_first = 2});
    log_numbers(lg, 0, 300);
    {
      const error_scope inner(lg, {.capacity = 1, .pin_first = 1});
      log_numbers(lg, 300, 600);
      FAULTLINE_ERROR(lg, "error");
    }
    CHECK(rt.messages() == strings{"300", "error"});
    log_numbers(lg, 600, 900);
    FAULTLINE_CRITICAL(lg, "critical");
  }
  const auto at_other = (rt.write_all(), other->messages());
  REQUIRE(at_other.size() >= 3);
  CHECK(at_other[0] == "0");
  CHECK(at_other[1] == "1");
  CHECK(at_other.back() == "critical");
  CHECK(rt.messages() == strings{"300", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("an outer scope's dump leaves out the pinned records that an inner one wrote to the same target") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  {
    const error_scope outer(lg, {.flush_level = level::critical, .capacity = 1, .pin_first = 6});
    FAULTLINE_DEBUG(lg, "outer");
    const error_scope inner(lg, {.capacity = 1, .pin_first = 2});
    log_numbers(lg, 0, 500);
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_CRITICAL(lg, "critical");
  }
  CHECK(rt.messages() == strings{"0", "1", "error", "outer", "2", "3", "4", "critical"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope pins only records that it sees") {
  manual_runtime rt({.buffer_bytes = 4096});
  {
    const error_scope scope(rt.get("app"), {.capacity = 1, .pin_first = 1});
    log_numbers(rt.get("other"), 0, 20);
    FAULTLINE_DEBUG(rt.get("app"), "mine");
    log_numbers(rt.get("other"), 20, 500);
    FAULTLINE_ERROR(rt.get("app"), "error");
  }
  CHECK(rt.messages() == strings{"mine", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("pinned records that have no room are forgotten and counted") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  constexpr int many = 3000;
  {
    const error_scope scope(lg, {.capacity = 1, .pin_first = 1000});
    log_numbers(lg, 0, many);
    FAULTLINE_ERROR(lg, "error");
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() > 7);
  REQUIRE(messages.size() < 1000);
  for (std::size_t i = 0; i < 6; ++i) CHECK(messages[i] == std::to_string(i));
  CHECK(rt.dumps().at(0).forgotten + messages.size() == many + 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("what stands between pinned records that have no room and the last ones is not written as first") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  constexpr int many = 3000;
  {
    const error_scope scope(lg, {.capacity = 3, .pin_first = 30});
    log_numbers(lg, 0, many);
    FAULTLINE_ERROR(lg, "error");
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() > 9);
  REQUIRE(messages.size() < 33);
  for (std::size_t i = 0; i + 3 < messages.size(); ++i) CHECK(messages[i] == std::to_string(i));
  CHECK(messages.at(messages.size() - 3) == std::to_string(many - 2));
  CHECK(rt.dumps().at(0).forgotten + messages.size() == many + 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("what an inner scope pinned is not among the outer one's first") {
  manual_runtime rt({.buffer_bytes = 4096});
  const auto other = make_memory_handler();
  const logger lg = rt.get();
  {
    const error_scope outer(lg, {.target = other, .capacity = 1000, .pin_first = 2});
    log_numbers(lg, 0, 300);
    const error_scope inner(lg, {.flush_level = level::off, .capacity = 1, .pin_first = 3});
    log_numbers(lg, 300, 600);
    FAULTLINE_ERROR(lg, "error");
  }
  rt.write_all();
  const auto messages = other->messages();
  REQUIRE(messages.size() > 10);
  CHECK(messages[0] == "0");
  CHECK(messages[1] == "1");
  const int first_held = std::stoi(messages[2]);
  CHECK(first_held > 400);
  for (std::size_t i = 2; i + 1 < messages.size(); ++i)
    CHECK(messages[i] == std::to_string(first_held + static_cast<int>(i) - 2));
  CHECK(closes(rt.stats()));
}

TEST_CASE("a pinned record that the pass path gave to the target is not given again") {
  manual_runtime rt({.buffer_bytes = 4096});
  logger lg = rt.get();
  rt.target->set_level(level::info);
  lg.add_handler(rt.target);
  {
    const error_scope scope(lg, {.capacity = 1, .pin_first = 2});
    FAULTLINE_INFO(lg, "passed");
    log_numbers(lg, 0, 500);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"passed", "0", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("pinned records of a context that cannot be handed over count as lost until it is told") {
  for (const bool told : {true, false}) {
    manual_runtime rt({.buffer_bytes = 4096, .buffers_per_thread = 2});
    const logger lg = rt.get();
    {
      const error_scope first(lg);
      FAULTLINE_ERROR(lg, "takes the spare buffer");
    }
    {
      const error_scope scope(lg, {.capacity = 1, .pin_first = 2});
      log_numbers(lg, 0, 500);
      const std::uint64_t forgotten = rt.stats().forgotten;
      FAULTLINE_ERROR(lg, "refused");
      CHECK(rt.stats().forgotten == forgotten - 2);
      rt.write_all();
      if (told) FAULTLINE_ERROR(lg, "second");
    }
    if (told) {
      CHECK(rt.messages() == strings{"takes the spare buffer", "refused", "0", "1", "second"});
      CHECK(rt.stats().lost == 0);
    } else {
      CHECK(rt.stats().lost > 2);
    }
    CHECK(closes(rt.stats()));
  }
}
