// The handlers without a descriptor: null, callback and memory.
#include <stdexcept>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "support/catch.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using test::numbered_records;
using test::sample_record;

TEST_CASE("the null handler takes records and has nothing left to do") {
  const handler_ptr h = make_null_handler();
  h->write(numbered_records(3).all());
  CHECK_FALSE(h->pending());
  CHECK(h->lost() == 0);
}

TEST_CASE("a callback receives each batch, or each record") {
  const numbered_records records(3);
  std::size_t batches = 0;
  std::string messages;
  const handler_ptr by_batch =
      make_callback_handler([&](const batch& b) { batches += b.size() == 3 ? 1 : 0; });
  const handler_ptr by_record =
      make_callback_handler([&](const record_view& r) { (messages += r.message()) += '\n'; });
  by_batch->write(records.all());
  by_record->write(records.all());
  CHECK(batches == 1);
  CHECK(messages == records.text());
}

TEST_CASE("an empty callback is refused") {
  CHECK_THROWS_AS(make_callback_handler(std::function<void(const batch&)>()), configuration_error);
  CHECK_THROWS_AS(make_callback_handler(std::function<void(const record_view&)>()), configuration_error);
  void (*none)(const record_view&) = nullptr;
  CHECK_THROWS_AS(make_callback_handler(none), configuration_error);
}

TEST_CASE("what a callback throws reaches the flusher") {
  const handler_ptr h = make_callback_handler([](const batch&) { throw std::runtime_error("no"); });
  CHECK_THROWS_AS(h->write(numbered_records(1).all()), std::runtime_error);
}

TEST_CASE("the memory handler keeps what it received") {
  const auto h = make_memory_handler();
  h->set_formatter(make_text_formatter("{level} {message}"));
  record_view r = sample_record("no stock", level::error);
  const scope_context scope{.name = "order 4711", .trace_id = "0af7", .span_id = {}, .fields = {}};
  r.scope = &scope;
  r.exception_text = "std::runtime_error: no";
  r.time_is_exact = false;
  r.dump_id = 17;
  dump_envelope d;
  d.id = 17;
  d.scope = scope;
  d.logger = "shop.order";
  d.trigger = trigger::exception;
  d.reason = "ERROR";
  d.records = 1;
  d.forgotten = 2;
  d.truncated = 3;
  d.lost_contexts = 4;
  d.duration = std::chrono::milliseconds(5);
  h->write(batch({&r, 1}, &d));
  h->write(numbered_records(2).all());

  CHECK(h->writes() == 2);
  CHECK(h->messages() == std::vector<std::string>{"no stock", "record 0", "record 1."});
  const stored_record kept = h->records().at(0);
  CHECK(kept.level == level::error);
  CHECK(kept.logger == "shop.order");
  CHECK(kept.time == test::sample_time());
  CHECK_FALSE(kept.time_is_exact);
  CHECK(kept.thread_id == 123);
  CHECK(kept.exception == "std::runtime_error: no");
  CHECK(kept.file == "/src/shop/order.cpp");
  CHECK(kept.line == 42);
  CHECK(kept.scope == "order 4711");
  CHECK(kept.trace_id == "0af7");
  CHECK(kept.dump_id == 17);
  CHECK(h->records().at(1).scope.empty());
  REQUIRE(h->dumps().size() == 1);
  const stored_dump dump = h->dumps().front();
  CHECK(dump.id == 17);
  CHECK(dump.scope == "order 4711");
  CHECK(dump.trigger == trigger::exception);
  CHECK(dump.reason == "ERROR");
  CHECK(dump.records + dump.forgotten + dump.truncated + dump.lost_contexts == 10);
  CHECK(dump.duration == std::chrono::milliseconds(5));
  CHECK_THAT(h->text(),
             test::contains("ERROR no stock | std::runtime_error: no\n--- end of dump 17\nDEBUG record 0\n"));

  h->clear();
  CHECK(h->writes() == 0);
  CHECK((h->records().empty() && h->dumps().empty() && h->messages().empty() && h->text().empty()));
}

TEST_CASE("a memory handler whose formatter throws keeps nothing of the batch") {
  class throwing final : public formatter {
    void format(const batch&, std::string&) const override { throw std::runtime_error("no"); }
  };
  const auto h = make_memory_handler();
  h->set_formatter(std::make_shared<throwing>());
  CHECK_THROWS_AS(h->write(numbered_records(1).all()), std::runtime_error);
  CHECK(h->writes() == 0);
  CHECK(h->records().empty());
}
