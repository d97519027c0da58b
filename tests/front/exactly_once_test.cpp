// A record reaches one handler at most once, whichever ways lead there.
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("a record that the pass path gave to a handler is left out of dumps to that handler") {
  manual_runtime rt;
  logger lg = rt.get("app");
  rt.target->set_level(level::info);
  lg.add_handler(rt.target);
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "debug");
    FAULTLINE_INFO(lg, "info");
    FAULTLINE_DEBUG(lg, "more debug");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"info", "debug", "more debug", "error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("the tripping record goes to the scope's target in the dump, and to other handlers by the outbox") {
  manual_runtime rt;
  const auto other = make_memory_handler();
  logger lg = rt.get("app");
  lg.add_handler(rt.target);
  lg.add_handler(other);
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"error"});
  CHECK(rt.target->records().at(0).dump_id == 1);
  CHECK(other->messages() == strings{"error"});
  CHECK(other->records().at(0).dump_id == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a handler attached at two loggers gets a record once") {
  manual_runtime rt;
  rt.get().add_handler(rt.target);
  rt.get("app").add_handler(rt.target);
  FAULTLINE_INFO(rt.get("app.db"), "once");
  CHECK(rt.messages() == strings{"once"});
}

TEST_CASE("scopes with one target that one record trips write one merged dump") {
  manual_runtime rt;
  {
    const error_scope outer(rt.get("app"), {.capacity = 2});
    FAULTLINE_DEBUG(rt.get("app"), "app 1");
    FAULTLINE_DEBUG(rt.get("app"), "app 2");
    const error_scope inner(rt.get("app.db"));
    FAULTLINE_DEBUG(rt.get("app.db"), "db");
    FAULTLINE_DEBUG(rt.get("app"), "app 3");
    FAULTLINE_ERROR(rt.get("app.db"), "error");
  }
  CHECK(rt.messages() == strings{"db", "app 3", "error"});
  CHECK(rt.dumps().size() == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a later outer dump skips what an inner dump wrote to the same target") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg, {.flush_level = level::critical});
    FAULTLINE_DEBUG(lg, "outer");
    {
      const error_scope inner(lg);
      FAULTLINE_DEBUG(lg, "inner");
      FAULTLINE_ERROR(lg, "inner error");
    }
    FAULTLINE_CRITICAL(lg, "outer error");
  }
  CHECK(rt.messages() == strings{"inner", "inner error", "outer", "outer error"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("a later outer dump to another target holds what the inner dump wrote as well") {
  manual_runtime rt;
  const auto second = make_memory_handler();
  const logger lg = rt.get();
  {
    const error_scope outer(lg, {.target = second, .flush_level = level::critical});
    const error_scope inner(lg);
    FAULTLINE_DEBUG(lg, "held");
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_CRITICAL(lg, "critical");
  }
  CHECK(rt.messages() == strings{"held", "error", "critical"});
  CHECK(second->messages() == strings{"held", "error", "critical"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("an inner dump marks for its target only what it wrote: the last `capacity` visible records") {
  manual_runtime rt;
  const logger lg = rt.get();
  {
    const error_scope outer(lg, {.flush_level = level::critical});
    const error_scope inner(rt.get("app"), {.capacity = 2});
    FAULTLINE_DEBUG(rt.get("app"), "1");
    FAULTLINE_DEBUG(rt.get("app"), "2");
    FAULTLINE_DEBUG(rt.get("other"), "3");
    FAULTLINE_ERROR(rt.get("app"), "4");
    FAULTLINE_CRITICAL(lg, "5");
  }
  CHECK(rt.messages() == strings{"2", "4", "1", "3", "5"});
  CHECK(closes(rt.stats()));
}

TEST_CASE(
    "records of one thread reach a handler in the order they were logged, a dump where its trip happened") {
  manual_runtime rt;
  logger lg = rt.get();
  rt.target->set_level(level::info);
  lg.add_handler(rt.target);
  {
    const error_scope scope(lg);
    FAULTLINE_INFO(lg, "before");
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "error");
    FAULTLINE_INFO(lg, "after");
    FAULTLINE_DEBUG(lg, "context 2");
    FAULTLINE_ERROR(lg, "error 2");
  }
  FAULTLINE_INFO(lg, "last");
  CHECK(rt.messages() == strings{"before", "context", "error", "after", "context 2", "error 2", "last"});
}

TEST_CASE("a handler attached while a scope holds a record gets that record by the dump") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(make_null_handler()); // so that the record below goes by the pass path, too
  {
    const error_scope scope(lg);
    FAULTLINE_INFO(lg, "before it was attached");
    lg.add_handler(rt.target);
    FAULTLINE_INFO(lg, "after it was attached");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"after it was attached", "before it was attached", "error"});
}

TEST_CASE("a handler removed while a scope holds what it had is not given that again by the dump") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(rt.target);
  {
    const error_scope scope(lg);
    FAULTLINE_INFO(lg, "while it was attached");
    lg.remove_handler(rt.target);
    FAULTLINE_INFO(lg, "after that");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"while it was attached", "after that", "error"});
  CHECK(rt.dumps().at(0).records == 2);
}

TEST_CASE("what a handler had stays known through any number of changes to the logger's handlers") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(rt.target);
  {
    const error_scope scope(lg);
    FAULTLINE_INFO(lg, "passed");
    rt.write_all();
    for (int i = 0; i < 100; ++i) {
      lg.remove_handler(rt.target);
      lg.add_handler(rt.target);
    }
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.messages() == strings{"passed", "error"});
}

TEST_CASE("a handler that was away is not given what was logged meanwhile, however often it goes again") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(make_null_handler()); // so that the record waits in the outbox
  lg.add_handler(rt.target);
  lg.remove_handler(rt.target);
  FAULTLINE_INFO(lg, "while it was away");
  lg.add_handler(rt.target);
  FAULTLINE_INFO(lg, "while it was back");
  lg.remove_handler(rt.target);
  lg.remove_handler(rt.target);
  CHECK(rt.messages() == strings{"while it was back"});
}

TEST_CASE("a record that waits is written by the handler that it had, whatever came and went long before") {
  manual_runtime rt;
  logger lg = rt.get();
  for (int i = 0; i < 200; ++i) {
    lg.add_handler(rt.target);
    lg.remove_handler(rt.target);
  }
  lg.add_handler(rt.target);
  FAULTLINE_INFO(lg, "it has it");
  lg.remove_handler(rt.target);
  for (int i = 0; i < 60; ++i) {
    lg.add_handler(rt.target);
    lg.remove_handler(rt.target);
  }
  CHECK(rt.messages() == strings{"it has it"});
}

TEST_CASE("scopes on different targets tripped by one record write nearest logger first") {
  strings order;
  const auto recording = [&order](std::string name) {
    return make_callback_handler([&order, name](const batch&) { order.push_back(name); });
  };
  manual_runtime rt;
  {
    const error_scope a(rt.get("app"), {.target = recording("app, first")});
    const error_scope b(rt.get("app.db"), {.target = recording("app.db")});
    const error_scope c(rt.get("app"), {.target = recording("app, second")});
    const error_scope d(rt.get(), {.target = recording("root")});
    FAULTLINE_ERROR(rt.get("app.db"), "error");
  }
  rt.write_all();
  CHECK(order == strings{"app.db", "app, first", "app, second", "root"});
}
