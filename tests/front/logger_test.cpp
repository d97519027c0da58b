#include <string>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("a logger of one name is one logger, and \"\" and \"root\" are the root") {
  manual_runtime rt;
  CHECK(rt.get("a.b") == rt.get("a.b"));
  CHECK_FALSE(rt.get("a.b") == rt.get("a"));
  CHECK(rt.get("") == rt.get("root"));
  CHECK(rt.get("a.b").name() == "a.b");
  CHECK(rt.get().name() == "root");
}

TEST_CASE("a name that is no logger name is refused with the name") {
  manual_runtime rt;
  for (const char* name : {".", "a.", ".a", "a..b", "a.b."})
    CHECK_THROWS_WITH(rt.get(name), test::contains("logger name: '" + std::string(name) + "'"));
  CHECK_THROWS_AS(rt.get("a\nb"), configuration_error);
  CHECK_THROWS_AS(rt.get(std::string(300, 'x')), configuration_error);
  const std::string long_name = std::string(39, 'x') + "\u00e9" + std::string(300, 'y'); // shown to a bound
  CHECK_THROWS_WITH(rt.get(long_name), test::contains("logger name: '" + std::string(39, 'x') + "':"));
}

TEST_CASE("levels are inherited from the nearest ancestor that has one") {
  manual_runtime rt;
  logger root = rt.get();
  logger a = rt.get("a");
  logger abc = rt.get("a.b.c");
  CHECK(abc.effective_level() == level::debug);
  a.set_level(level::warning);
  CHECK(abc.effective_level() == level::warning);
  abc.set_level(level::trace);
  a.set_level(level::error);
  CHECK(abc.effective_level() == level::trace);
  abc.inherit_level();
  CHECK(abc.effective_level() == level::error);
  a.inherit_level();
  root.set_level(level::info);
  CHECK(abc.effective_level() == level::info);
  CHECK(rt.get("made.later").effective_level() == level::info);
  root.inherit_level();
  CHECK(root.effective_level() == level::debug);
  CHECK_THROWS_AS(root.set_level(static_cast<level>(7)), configuration_error);
}

TEST_CASE("a record below its logger's level does not exist, and its arguments are not evaluated") {
  manual_runtime rt;
  logger lg = rt.get("app");
  lg.set_level(level::info);
  int evaluated = 0;
  {
    FAULTLINE_SCOPE(lg);
    FAULTLINE_DEBUG(lg, "{}", ++evaluated);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(evaluated == 0);
  CHECK(rt.messages() == strings{"error"});
  CHECK(rt.stats().logged == 1);
  lg.set_level(level::off);
  CHECK_FALSE(lg.enabled(level::critical));
  FAULTLINE_LOG(lg, level::off, "never");
  CHECK(rt.stats().logged == 1);
}

TEST_CASE("the logger expression of a statement is evaluated once") {
  manual_runtime rt;
  int evaluated = 0;
  const auto lg = [&] {
    ++evaluated;
    return rt.get("app");
  };
  FAULTLINE_ERROR(lg(), "{}", 1);
  CHECK(evaluated == 1);
}

TEST_CASE("handlers take records at their level or above from a logger and its descendants") {
  manual_runtime rt;
  const auto h = make_memory_handler();
  logger lg = rt.get("app");
  lg.add_handler(h);
  h->set_level(level::info);
  FAULTLINE_DEBUG(rt.get("app.db"), "debug");
  FAULTLINE_INFO(rt.get("app.db"), "info");
  FAULTLINE_INFO(rt.get("other"), "other");
  h->set_level(level::debug);
  FAULTLINE_DEBUG(rt.get("app.db"), "debug now");
  rt.write_all();
  CHECK(h->messages() == strings{"info", "debug now"});
  rt.get("app.db").set_propagate(false);
  FAULTLINE_INFO(rt.get("app.db"), "kept below");
  rt.get("app.db").set_propagate(true);
  lg.remove_handler(h);
  FAULTLINE_INFO(lg, "removed");
  rt.write_all();
  CHECK(h->messages() == strings{"info", "debug now"});
  CHECK(faultline::test::closes(rt.stats()));
}

TEST_CASE("a null handler is refused when it is added") {
  manual_runtime rt;
  CHECK_THROWS_AS(rt.get().add_handler(nullptr), configuration_error);
  rt.get().remove_handler(nullptr);
}

TEST_CASE("level names are read in capitals and lower case, and nothing else") {
  CHECK(parse_level("DEBUG") == level::debug);
  CHECK(parse_level("critical") == level::critical);
  CHECK(parse_level("off") == level::off);
  CHECK_THROWS_WITH(parse_level("Loud"), test::contains("level: 'Loud': expected trace"));
}

TEST_CASE("a logger's flush level is that of its scopes which ask for no other") {
  manual_runtime rt;
  const logger lg = rt.get("app.db");
  const auto dumps_of_warning = [&](const scope_options& options) {
    const std::size_t before = rt.dumps().size();
    const error_scope scope(lg, options);
    FAULTLINE_WARNING(lg, "slow query");
    return rt.dumps().size() - before;
  };
  CHECK(dumps_of_warning({}) == 0);
  rt.get("app").set_flush_level(level::warning); // inherited
  CHECK(dumps_of_warning({}) == 1);
  CHECK(dumps_of_warning({.flush_level = level::critical}) == 0);
  lg.set_flush_level(level::off); // its own
  CHECK(dumps_of_warning({}) == 0);
  CHECK(dumps_of_warning({.flush_level = level::info}) == 1);
  lg.inherit_flush_level();
  CHECK(dumps_of_warning({}) == 1);
  rt.get("app").inherit_flush_level();
  CHECK(dumps_of_warning({}) == 0);
  CHECK_THROWS_WITH(lg.set_flush_level(static_cast<level>(9)), test::contains("flush_level: '9'"));
}

TEST_CASE("a scope that is open keeps the flush level with which it was entered") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  const error_scope scope(lg);
  lg.set_flush_level(level::warning);
  FAULTLINE_WARNING(lg, "slow query");
  CHECK(rt.dumps().empty());
}

TEST_CASE("a constant logger can be set up: it points to the same place as any other of its name") {
  faultline::test::manual_runtime rt;
  const faultline::logger lg = rt.get("shop");
  lg.set_level(faultline::level::info);
  lg.set_propagate(false);
  lg.add_handler(rt.target);
  FAULTLINE_INFO(lg, "heard");
  CHECK(rt.messages() == faultline::test::strings{"heard"});
  lg.remove_handler(rt.target);
  lg.inherit_level();
  CHECK(rt.get("shop").effective_level() == faultline::level::debug);
}
