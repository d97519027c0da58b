#include <stdexcept>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "support/catch.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/watched_handler.hpp"

using namespace faultline;
using test::contains;
using test::numbered_records;
using test::strings;
using test::watched_handler;

namespace {

bool is_even(const record_view& r) { return (r.message()[7] - '0') % 2 == 0; }
bool is_third(const record_view& r) { return r.message() == "record 3..."; }
bool is_none(const record_view&) { return false; }

dump_envelope sample_envelope() {
  dump_envelope d;
  d.id = 17;
  d.records = 4;
  d.forgotten = 2;
  return d;
}

} // namespace

TEST_CASE("a filter passes on what its predicate accepts, in order") {
  const numbered_records records(5);
  const auto inner = make_memory_handler();
  const handler_ptr h = make_filter_handler(inner, is_even);
  h->write(records.all());
  CHECK(inner->messages() == strings{"record 0", "record 2..", "record 4...."});
  CHECK(inner->writes() == 1);
}

TEST_CASE("the inner handler is not called for nothing") {
  const auto inner = make_memory_handler();
  const dump_envelope d = sample_envelope();
  const handler_ptr h = make_filter_handler(inner, is_none);
  h->write(numbered_records(4).all());
  h->write(numbered_records(4).all(&d));
  CHECK(inner->writes() == 0);
}

TEST_CASE("the predicate is asked once for each record") {
  std::size_t asked = 0;
  const auto inner = make_memory_handler();
  const handler_ptr h = make_filter_handler(inner, [&](const record_view&) { return ++asked % 3 != 0; });
  h->write(numbered_records(9).all());
  CHECK(asked == 9);
  CHECK(inner->messages().size() == 6);
}

TEST_CASE("a dump is filtered by record, whole where one record is accepted, or not at all") {
  const numbered_records records(4);
  const dump_envelope d = sample_envelope();
  const auto passed = [&](dump_filter how, bool (*predicate)(const record_view&)) {
    const auto inner = make_memory_handler();
    make_filter_handler(inner, predicate, {.dumps = how})->write(records.all(&d));
    if (!inner->dumps().empty()) {
      CHECK(inner->dumps()[0].records == inner->messages().size()); // what it says is what follows
      CHECK(inner->dumps()[0].forgotten == 2);
    }
    return inner->messages().size();
  };
  CHECK(passed(dump_filter::each_record, is_third) == 1);
  CHECK(passed(dump_filter::any_record, is_third) == 4);
  CHECK(passed(dump_filter::any_record, is_none) == 0);
  CHECK(passed(dump_filter::pass_all, is_none) == 4);
}

TEST_CASE("a dump is not filtered by its target's level, and is by a filter") {
  const auto inner = make_memory_handler();
  const handler_ptr h =
      make_filter_handler(inner, [](const record_view& r) { return r.level >= level::info; });
  h->set_level(level::critical);
  test::manual_runtime runtime({.default_target = h});
  const logger lg = runtime.get("shop");
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "looking");
    FAULTLINE_INFO(lg, "found");
    FAULTLINE_ERROR(lg, "lost again");
  }
  runtime.write_all();
  CHECK(inner->messages() == strings{"found", "lost again"});
  CHECK(test::closes(runtime.stats()));
}

TEST_CASE("what the inner handler loses and throws is the filter's, flush included") {
  const auto inner = std::make_shared<watched_handler>();
  const handler_ptr h = make_filter_handler(inner, is_even);
  inner->loses = true;
  h->write(numbered_records(4).all());
  CHECK(h->lost() == 2);
  inner->throws = true;
  CHECK_THROWS_AS(h->write(numbered_records(4).all()), std::runtime_error);
  CHECK_THROWS_AS(h->flush(), std::runtime_error);
  CHECK(h->lost() == inner->lost());
}

TEST_CASE("each kind of flush, pending, reopen and after_fork reach the inner handler") {
  const auto inner = std::make_shared<watched_handler>();
  const handler_ptr h = make_filter_handler(inner, is_even);
  CHECK_FALSE(h->pending());
  inner->holds = true;
  CHECK(h->pending());
  h->flush();
  h->flush_all();
  inner->loses = true;
  h->last_flush(test::in_time());
  CHECK(h->lost() == 1);
  h->reopen();
  h->after_fork();
  CHECK(inner->calls == strings{"flush", "flush_all", "last_flush", "reopen", "after_fork"});
}

TEST_CASE("an inner handler that gathers puts all out when somebody waits, and finishes at stop") {
  const auto inner = std::make_shared<watched_handler>();
  test::manual_runtime runtime(
      {.default_target = make_filter_handler(inner, [](const record_view&) { return true; })});
  const logger lg = runtime.get("shop");
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "no stock");
  }
  inner->holds = true;
  CHECK_FALSE(runtime.get_runtime().flush(std::chrono::nanoseconds(0)));
  CHECK(inner->calls == strings{"flush_all"});
  CHECK(runtime.get_runtime().stop());
  CHECK(inner->calls.back() == "last_flush");
}

TEST_CASE("a filter without a handler or a predicate is refused") {
  CHECK_THROWS_WITH(make_filter_handler(nullptr, is_even), contains("inner"));
  CHECK_THROWS_WITH(make_filter_handler(make_null_handler(), nullptr), contains("predicate"));
}
