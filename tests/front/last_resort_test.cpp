// An error is never silent: one that no open scope sees and no handler takes goes to the default target.
#include <memory>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE(
    "an error outside every scope, with no handler, goes to the default target, alone, with its facts") {
  manual_runtime rt;
  const logger lg = rt.get("start");
  FAULTLINE_WARNING(lg, "not at the flush level");
  FAULTLINE_ERROR(lg, "cannot read {}", "app.conf");
  FAULTLINE_CRITICAL(lg, "cannot go on");
  CHECK(rt.messages() == strings{"cannot read app.conf", "cannot go on"});
  CHECK(rt.target->records().at(0).logger == "start");
  CHECK(rt.target->records().at(0).dump_id == 0);
  CHECK(rt.dumps().empty());
  CHECK(closes(rt.stats()));
  CHECK(rt.stats().passed_only == 2);
}

TEST_CASE("runtime_options::last_resort turned off leaves it to nobody") {
  manual_runtime rt({.last_resort = false});
  FAULTLINE_ERROR(rt.get(), "error");
  CHECK(rt.messages().empty());
  CHECK(rt.stats().discarded == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a handler that takes the error is enough, a null handler as well") {
  manual_runtime rt;
  const logger lg = rt.get("a.b");
  rt.get("a").add_handler(make_null_handler());
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages().empty());
  CHECK(closes(rt.stats()));
}

TEST_CASE("a handler above the error's level does not take it") {
  manual_runtime rt;
  const auto critical_only = make_null_handler();
  critical_only->set_level(level::critical);
  rt.get().add_handler(critical_only);
  FAULTLINE_ERROR(rt.get(), "error");
  FAULTLINE_CRITICAL(rt.get(), "critical");
  CHECK(rt.messages() == strings{"error"});
}

TEST_CASE(
    "handlers and scopes that the record does not reach, as its logger does not propagate, take nothing") {
  manual_runtime rt;
  rt.get().add_handler(make_null_handler());
  const logger lg = rt.get("a");
  lg.set_propagate(false);
  const error_scope scope(rt.get(), {.name = "not its own"});
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"error"});
  CHECK(rt.dumps().empty());
}

TEST_CASE("an error of a logger that no open scope is for comes alone, whatever levels trip the scope") {
  for (const level trips : {level::warning, level::error, level::critical, level::off}) {
    manual_runtime rt;
    {
      const error_scope scope(rt.get("a"), {.flush_level = trips});
      FAULTLINE_DEBUG(rt.get("a"), "held");
      FAULTLINE_ERROR(rt.get("b"), "error of b");
      FAULTLINE_DEBUG(rt.get("a"), "held");
    }
    CHECK(rt.messages() == strings{"error of b"});
    CHECK(rt.dumps().empty());
    CHECK(closes(rt.stats()));
  }
}

TEST_CASE("a scope that sees the error and is not tripped by it has it") {
  manual_runtime rt;
  {
    const error_scope scope(rt.get(), {.flush_level = level::critical});
    FAULTLINE_ERROR(rt.get("a"), "held");
  }
  CHECK(rt.messages().empty());
  CHECK(closes(rt.stats()));
}

TEST_CASE("what counts as an error is the logger's flush level") {
  manual_runtime rt;
  const logger lg = rt.get("a");
  lg.set_flush_level(level::warning);
  FAULTLINE_WARNING(lg, "outside scopes");
  {
    const error_scope scope(rt.get("b"));
    FAULTLINE_WARNING(lg, "in another's scope");
    FAULTLINE_WARNING(rt.get("b"), "held");
  }
  lg.set_flush_level(level::off);
  FAULTLINE_CRITICAL(lg, "not wanted");
  CHECK(rt.messages() == strings{"outside scopes", "in another's scope"});
  CHECK(closes(rt.stats()));
}

TEST_CASE("with a full outbox it is lost and counted, and a stopped runtime takes none") {
  manual_runtime rt({.outbox_bytes = 4096});
  const logger lg = rt.get();
  for (int i = 0; i < 1000; ++i) FAULTLINE_ERROR(lg, "error {}", i);
  const std::size_t written = rt.messages().size();
  CHECK(written > 10);
  CHECK(rt.stats().lost == 1000 - written);
  CHECK(rt.stats().outbox_full == 1000 - written);
  CHECK(closes(rt.stats()));
  (void)rt.get_runtime().stop();
  FAULTLINE_ERROR(lg, "late");
  CHECK(rt.stats().after_stop == 1);
}

TEST_CASE("an error behind a scope that ended on another thread comes alone") {
  manual_runtime rt;
  const logger lg = rt.get();
  auto scope = std::make_unique<error_scope>(lg);
  FAULTLINE_DEBUG(lg, "held");
  std::thread([&] { scope.reset(); }).join();
  FAULTLINE_ERROR(lg, "error");
  CHECK(rt.messages() == strings{"error"});
  CHECK(closes(rt.stats()));
  CHECK(rt.stats().discarded == 1); // what the scope held is gone with the statement's end
}
