#include "handlers/fallback_handler.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "handlers/file_handler.hpp"
#include "handlers/stream_handler.hpp"
#include "support/catch.hpp"
#include "support/fake_disk.hpp"
#include "support/in_time.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/watched_handler.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::contains;
using test::fake_disk;
using test::numbered_records;
using test::strings;
using test::watched_handler;

namespace {

struct pair_of_handlers {
  fake_disk clock;
  std::shared_ptr<watched_handler> first = std::make_shared<watched_handler>();
  std::shared_ptr<watched_handler> second = std::make_shared<watched_handler>();
  std::shared_ptr<detail::fallback_handler> both = std::make_shared<detail::fallback_handler>(
      first, second, fallback_options{.retry_interval = 1s}, fake_disk::calls());
  numbered_records records{8};
};

} // namespace

TEST_CASE("while the first handler is well the second receives nothing") {
  pair_of_handlers p;
  p.both->write(p.records.one(0));
  CHECK_NOTHROW(p.both->flush());
  CHECK(p.first->messages == strings{"record 0"});
  CHECK(p.second->messages.empty());
  CHECK_FALSE(p.both->pending());
}

TEST_CASE(
    "a batch at which the first handler throws goes to the second, and so do those of the pause after it") {
  pair_of_handlers p;
  p.first->throws = true;
  p.both->write(p.records.one(0));
  p.first->throws = false;
  p.both->write(p.records.one(1));
  p.clock.now += 999ms;
  p.both->write(p.records.one(2));
  p.clock.now += 1ms;
  p.both->write(p.records.one(3));
  p.both->write(p.records.one(4));
  CHECK(p.second->messages == strings{"record 0", "record 1.", "record 2.."});
  CHECK(p.first->messages == strings{"record 3...", "record 4...."});
  CHECK(p.both->lost() == 0);
}

TEST_CASE("a failure is reported once, and again after the first handler was well") {
  pair_of_handlers p;
  const auto reports = [&] {
    int count = 0;
    for (int i = 0; i < 3; ++i, p.clock.now += 2s) {
      p.both->write(p.records.one(0));
      try {
        p.both->flush();
      } catch (const std::runtime_error& e) {
        CHECK_THAT(e.what(), contains("write failed"));
        ++count;
      }
    }
    CHECK_FALSE(p.both->pending());
    return count;
  };
  p.first->throws = true;
  CHECK(reports() == 1);
  p.first->throws = false;
  CHECK(reports() == 0);
  p.first->throws = true;
  CHECK(reports() == 1);
}

TEST_CASE("a batch that the first handler loses is not lost, and older records are") {
  pair_of_handlers p;
  p.first->loses = true;
  p.both->write(p.records.all());
  CHECK(p.second->messages.size() == 8);
  CHECK(p.both->lost() == 0);
  p.clock.now += 1s;
  p.first->loses_old = 5;
  p.both->write(p.records.one(0));
  CHECK(p.both->lost() == 5);
  CHECK(p.first->lost() == 14);
}

TEST_CASE("what the first handler drops to take a batch is lost, and the batch is not written twice") {
  // Directly, and with a handler in between.
  pair_of_handlers p;
  const handler_ptr wrapped =
      make_fallback_handler(make_filter_handler(p.first, [](const record_view&) { return true; }), p.second,
                            {.retry_interval = 0s});
  for (const handler_ptr& both : {handler_ptr(p.both), wrapped}) {
    p.first->drops_old = 3;
    both->write(p.records.all());
    CHECK(both->lost() == 3);
    CHECK(both->dropped() == 3);
    CHECK(p.first->messages.size() == 8);
    CHECK(p.second->messages.empty());
    CHECK_THROWS_WITH(both->flush(), contains("loses records"));
    p.first->messages.clear();
    p.clock.now += 1s;
    p.first->drops_old = 0;
    p.first->loses = true; // of the batch in hand: that one goes to the second
    both->write(p.records.all());
    CHECK(both->lost() == 3);
    CHECK(p.second->messages.size() == 8);
    p.second->messages.clear();
    p.first->loses = false;
  }
}

TEST_CASE("what both handlers lose is lost, and what both throw is the flusher's to count") {
  pair_of_handlers p;
  p.first->loses = p.second->loses = true;
  p.both->write(p.records.all());
  CHECK(p.both->lost() == 8);
  p.second->throws = true;
  CHECK_THROWS_AS(p.both->write(p.records.one(0)), std::runtime_error);
  CHECK_THROWS_AS(p.both->flush(), std::runtime_error);
}

TEST_CASE("a first handler that holds text is used again once it has put it out, without a pause") {
  pair_of_handlers p;
  p.first->holds = p.first->throws = true;
  p.both->write(p.records.one(0));
  CHECK_THROWS_AS(p.both->flush(), std::runtime_error);
  p.first->throws = false;
  p.clock.now += 10s;
  p.both->write(p.records.one(1)); // not yet: what it holds comes first
  p.both->flush();
  p.first->holds = false;
  p.both->flush();
  p.both->write(p.records.one(2));
  CHECK(p.second->messages == strings{"record 0", "record 1."});
  CHECK(p.first->messages == strings{"record 2.."});
}

TEST_CASE("a file on a full disk keeps what it took, the second handler has the rest, and nothing is written "
          "twice") {
  fake_disk disk;
  const auto file = std::make_shared<detail::file_handler>("/log", file_options{}, fake_disk::calls());
  file->set_formatter(make_text_formatter("{message}"));
  const auto second = make_memory_handler();
  const auto both =
      std::make_shared<detail::fallback_handler>(file, second, fallback_options{}, fake_disk::calls());
  const numbered_records records(9);
  const auto write = [&](std::size_t i) {
    both->write(records.one(i));
    try {
      both->flush();
      return true;
    } catch (const std::runtime_error& e) {
      CHECK_THAT(e.what(), contains("/log"));
      return false;
    }
  };
  CHECK(write(0));
  disk.capacity = disk.text().size();
  CHECK_FALSE(write(1)); // in the file's spool
  for (std::size_t i = 2; i < 6; ++i, disk.now += 1s) CHECK(write(i));
  CHECK(second->messages() == strings{"record 2..", "record 3...", "record 4....", "record 5....."});
  disk.capacity = static_cast<std::size_t>(-1);
  CHECK_FALSE(second->messages().empty());
  for (std::size_t i = 6; i < 9; ++i) CHECK(write(i)); // 6 is written before the round's flush finds space
  CHECK(second->messages().size() == 5);
  CHECK(disk.text() == "record 0\nrecord 1.\nrecord 7\nrecord 8.\n");
  CHECK(both->lost() == 0);
  CHECK_FALSE(both->pending());
}

TEST_CASE("reopen and after_fork reach both handlers, and a first one that is reopened is tried at once") {
  pair_of_handlers p;
  p.first->throws = true;
  p.both->write(p.records.one(0));
  p.first->throws = false;
  p.both->reopen();
  p.both->write(p.records.one(1));
  CHECK(p.first->messages == strings{"record 1."});
  p.both->after_fork();
  CHECK_NOTHROW(p.both->flush()); // the parent reports
  for (const auto& h : {p.first, p.second}) CHECK(h->calls == strings{"reopen", "after_fork", "flush"});
}

TEST_CASE("when somebody waits both handlers put all out, and what fails then is a failure as in any flush") {
  pair_of_handlers p;
  p.both->flush_all();
  for (const auto& h : {p.first, p.second}) CHECK(h->calls == strings{"flush_all"});
  p.first->throws = true;
  CHECK_THROWS_WITH(p.both->flush_all(), contains("flush_all failed"));
  CHECK(p.second->calls == strings{"flush_all", "flush_all"});
  p.first->throws = false;
  p.both->write(p.records.one(0));
  CHECK(p.second->messages == strings{"record 0"});
}

TEST_CASE("at the end each handler that holds something finishes, whatever the other one throws") {
  pair_of_handlers p;
  p.first->holds = p.first->loses = p.first->throws = true;
  p.second->holds = true;
  CHECK_THROWS_WITH(p.both->last_flush(test::in_time()), contains("last_flush failed"));
  for (const auto& h : {p.first, p.second}) CHECK(h->calls == strings{"last_flush"});
  CHECK(p.both->lost() == 1);
  CHECK_FALSE(p.both->pending());
  p.second->holds = true;
  p.both->last_flush(test::in_time()); // the first one has nothing left to finish
  CHECK(p.first->calls.size() == 1);
  CHECK(p.second->calls.size() == 2);
}

TEST_CASE("a runtime counts what the second handler took as written") {
  const auto first = std::make_shared<watched_handler>();
  const auto second = std::make_shared<watched_handler>();
  first->throws = true;
  test::manual_runtime runtime({.default_target = make_fallback_handler(first, second)});
  const logger lg = runtime.get("shop");
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "no stock");
  }
  runtime.write_all();
  CHECK(second->messages == strings{"no stock"});
  CHECK(runtime.stats().written == 1);
  CHECK(runtime.stats().handler_lost == 0);
  CHECK(runtime.stats().handler_errors == 1); // the report
  CHECK(test::closes(runtime.stats()));
}

TEST_CASE("handlers that cannot stand in for each other are refused") {
  const handler_ptr h = make_null_handler();
  CHECK_THROWS_WITH(make_fallback_handler(nullptr, h), contains("first"));
  CHECK_THROWS_WITH(make_fallback_handler(h, nullptr), contains("second"));
  CHECK_THROWS_AS(make_fallback_handler(h, h), configuration_error);
  for (const auto wrong : {-1ms, 86'400'001ms, std::chrono::milliseconds::max()})
    CHECK_THROWS_WITH(make_fallback_handler(h, make_null_handler(), {.retry_interval = wrong}),
                      contains("retry_interval"));
}

TEST_CASE("a stream whose number the program uses for something else hands over to the second handler") {
  const int number = ::open("/dev/zero", O_WRONLY | O_CLOEXEC);
  const auto second = std::make_shared<watched_handler>();
  const handler_ptr both = make_fallback_handler(
      std::make_shared<detail::stream_handler>(number, detail::real_system_calls()), second);
  const numbered_records records(3);
  const int other = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(::dup2(other, number) == number);
  both->write(records.one(0)); // which the first one had taken
  CHECK_THROWS_WITH(both->flush(), contains("closed, or is open on something else"));
  both->write(records.one(1));
  both->write(records.one(2));
  CHECK(second->messages == strings{"record 1.", "record 2.."});
  CHECK(both->lost() == 1);
  for (const int d : {number, other}) (void)::close(d);
}
