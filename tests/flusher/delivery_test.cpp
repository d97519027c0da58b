// One bad handler harms no other.
#include <stdexcept>
#include <utility>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/watched_handler.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("a handler that throws anything costs the other handlers nothing and is counted") {
  strings kinds;
  manual_runtime rt({.on_error = [&](const error_report& r) {
    kinds.push_back(std::string(r.kind) + ": " + std::string(r.detail));
  }});
  logger lg = rt.get();
  lg.add_handler(make_callback_handler([](const batch&) { throw std::runtime_error("broken"); }));
  lg.add_handler(make_callback_handler([](const batch&) { throw 42; }));
  const auto good = make_memory_handler();
  lg.add_handler(good);
  FAULTLINE_INFO(lg, "one");
  rt.write_all();
  CHECK(good->messages() == strings{"one"});
  CHECK(rt.stats().handler_errors == 2);
  CHECK(kinds == strings{"handler: broken", "handler: threw something that is no std::exception"});
  CHECK(rt.stats().written == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a record that every handler refused counts as lost by the flusher") {
  manual_runtime rt({.default_target = make_callback_handler([](const batch&) { throw 1; }),
                     .on_error = [](const error_report&) {}});
  logger lg = rt.get();
  {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "error");
  }
  rt.write_all();
  CHECK(rt.stats().flusher_lost == 2);
  CHECK(rt.stats().dumps == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("an on_error callback that throws harms nobody") {
  manual_runtime rt({.default_target = make_callback_handler([](const batch&) { throw 1; }),
                     .on_error = [](const error_report&) { throw 2; }});
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "error");
  }
  rt.write_all();
  CHECK(rt.stats().handler_errors == 1);
}

TEST_CASE("pass-path records of one round reach a handler in one write") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(rt.target);
  for (int i = 0; i < 50; ++i) FAULTLINE_INFO(lg, "{}", i);
  CHECK(rt.messages().size() == 50);
  CHECK(rt.target->writes() == 1);
}

TEST_CASE("a dump is one write, whole, with its envelope, and dumps count from 1") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  for (int i = 0; i < 3; ++i) {
    const error_scope scope(lg, {.name = "work"});
    FAULTLINE_DEBUG(lg, "context");
    FAULTLINE_ERROR(lg, "error");
    rt.write_all();
  }
  CHECK(rt.target->writes() == 3);
  const auto dumps = rt.dumps();
  REQUIRE(dumps.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(dumps[i].id == i + 1);
  CHECK(rt.stats().dumps == 3);
}

TEST_CASE("what a handler logs while it writes is counted and not written") {
  runtime rt({.default_target = make_null_handler()});
  logger lg = rt.get_logger();
  const auto inner = make_memory_handler();
  rt.get_logger("inner").add_handler(inner);
  lg.add_handler(make_callback_handler(
      [&](const batch&) { FAULTLINE_ERROR(rt.get_logger("inner"), "from a handler"); }));
  FAULTLINE_INFO(lg, "one");
  CHECK(rt.flush());
  CHECK(rt.flush());
  CHECK(inner->messages().empty());
  CHECK(rt.stats().logged == 2);
  CHECK(rt.stats().lost == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE(
    "neighbours with the same handlers share a batch, and each handler sees its records in their order") {
  manual_runtime rt;
  const auto errors = make_memory_handler();
  errors->set_level(level::error);
  const auto all = make_memory_handler();
  logger lg = rt.get();
  lg.add_handler(all);
  lg.add_handler(errors);
  for (int i = 0; i < 3; ++i) {
    FAULTLINE_INFO(lg, "info {}", i);
    FAULTLINE_INFO(lg, "more {}", i);
    FAULTLINE_ERROR(lg, "error {}", i);
  }
  rt.write_all();
  CHECK(errors->messages() == strings{"error 0", "error 1", "error 2"});
  CHECK(all->messages() ==
        strings{"info 0", "more 0", "error 0", "info 1", "more 1", "error 1", "info 2", "more 2", "error 2"});
  CHECK(all->writes() == 6);
  CHECK(rt.stats().written == 9);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a record that one of its two handlers refused is written, and one that both refused is lost") {
  manual_runtime rt({.on_error = [](const error_report&) {}});
  logger lg = rt.get();
  const handler_ptr refusing = make_callback_handler([](const batch&) { throw 1; });
  const auto good = make_memory_handler();
  good->set_level(level::error);
  lg.add_handler(refusing);
  lg.add_handler(good);
  FAULTLINE_INFO(lg, "for the one that refuses");
  FAULTLINE_ERROR(lg, "for both");
  FAULTLINE_INFO(lg, "for the one that refuses");
  rt.write_all();
  CHECK(good->messages() == strings{"for both"});
  CHECK(rt.stats().written == 1);
  CHECK(rt.stats().flusher_lost == 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a thread gets its outbox back in parts, and nothing is told twice or out of order") {
  manual_runtime rt({.outbox_bytes = 4096});
  logger lg = rt.get();
  lg.add_handler(rt.target);
  int logged = 0;
  for (int turn = 0; turn < 20; ++turn) {
    for (int i = 0; i < 40; ++i) FAULTLINE_INFO(lg, "{}", logged++);
    rt.write_all();
  }
  CHECK(rt.target->writes() >= 40); // two parts a turn at least
  const auto messages = rt.messages();
  CHECK(rt.stats().outbox_full == 0);
  REQUIRE(messages.size() == static_cast<std::size_t>(logged));
  for (int i = 0; i < logged; ++i) CHECK(messages[static_cast<std::size_t>(i)] == std::to_string(i));
}

TEST_CASE("records whose outbox is given back in parts have each their own scope") {
  manual_runtime rt({.outbox_bytes = 4096});
  logger lg = rt.get();
  lg.add_handler(rt.target);
  for (int turn = 0; turn < 20; ++turn) {
    for (int i = 0; i < 20; ++i) {
      const error_scope scope(lg, {.name = std::to_string(i)});
      FAULTLINE_INFO(lg, "{}", i);
    }
    rt.write_all();
  }
  CHECK(rt.target->writes() >= 40);
  CHECK(rt.stats().outbox_full == 0);
  const auto records = rt.target->records();
  REQUIRE(records.size() == 400);
  for (const stored_record& r : records) CHECK(r.scope == r.message);
}

TEST_CASE("a handler that refuses takes nothing back of what another one wrote") {
  manual_runtime rt({.on_error = [](const error_report&) {}});
  logger lg = rt.get();
  lg.add_handler(rt.target);
  lg.add_handler(make_callback_handler([](const batch&) { throw 1; }));
  FAULTLINE_INFO(lg, "one");
  CHECK(rt.messages() == strings{"one"});
  CHECK(rt.stats().written == 1);
  CHECK(rt.stats().flusher_lost == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a write that throws counts with its whole batch for the handler that threw, and for no other") {
  const auto bad = make_callback_handler([](const batch&) { throw std::runtime_error("broken"); });
  const auto good = make_memory_handler();
  manual_runtime rt({.on_error = [](const error_report&) {}});
  logger lg = rt.get();
  lg.add_handler(bad);
  lg.add_handler(good);
  for (int i = 0; i < 3; ++i) FAULTLINE_INFO(lg, "{}", i);
  rt.write_all();
  CHECK(bad->lost() == 3);
  CHECK(good->lost() == 0);
  CHECK(rt.stats().handler_lost == 3);
}

TEST_CASE("a write that drops what an earlier one took, and then throws, loses both") {
  class dropping final : public handler {
   public:
    void write(const batch&) override {
      report_dropped(2);
      throw std::runtime_error("and the batch as well");
    }
  };
  const auto target = std::make_shared<dropping>();
  test::manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(target);
  for (int i = 0; i < 3; ++i) FAULTLINE_INFO(lg, "{}", i);
  rt.write_all();
  CHECK(target->lost() == 5);
  CHECK(target->dropped() == 2);
}

TEST_CASE("what a scope's target loses is counted although it is inside another handler, too") {
  const auto target = std::make_shared<test::watched_handler>();
  target->loses = true;
  test::manual_runtime rt;
  logger lg = rt.get("shop");
  lg.add_handler(make_filter_handler(target, [](const record_view&) { return false; }));
  {
    const error_scope scope(rt.get("scope"), {.target = target});
    FAULTLINE_ERROR(rt.get("scope"), "error");
  }
  rt.write_all();
  CHECK(target->lost() == 1); // no line is tried at one that takes nothing
  CHECK(rt.stats().handler_lost == 1);
}

TEST_CASE("a handler that has something to report after it was opened anew is asked for it") {
  class complaining final : public handler {
   public:
    void write(const batch&) override {}
    void reopen() override { has_news = true; }
    void flush() override {
      if (std::exchange(has_news, false)) throw std::runtime_error("news");
    }
    bool has_news = false;
  };
  strings reports;
  manual_runtime rt({.on_error = [&](const error_report& r) { reports.emplace_back(r.detail); }});
  rt.get().add_handler(std::make_shared<complaining>());
  FAULTLINE_INFO(rt.get(), "begins");
  rt.write_all();
  rt.get_runtime().reopen();
  rt.get_runtime().run_once();
  CHECK(reports == strings{"news"});
}

TEST_CASE("a handler that is set for itself and is inside another one, too, has one last flush") {
  class keeping final : public handler {
   public:
    void write(const batch&) override { keeps = true; }
    void last_flush(std::chrono::steady_clock::time_point) override {
      ++finishes;
      keeps = false;
    }
    [[nodiscard]] bool pending() const noexcept override { return keeps; }
    bool keeps = false;
    int finishes = 0;
  };
  for (const bool outer_comes_first : {true, false}) {
    const auto inner = std::make_shared<keeping>();
    const auto outer = make_filter_handler(inner, [](const record_view&) { return true; });
    manual_runtime rt;
    logger lg = rt.get();
    lg.add_handler(outer_comes_first ? outer : inner);
    lg.add_handler(outer_comes_first ? inner : outer);
    FAULTLINE_INFO(lg, "kept");
    CHECK(rt.get_runtime().stop());
    CHECK(inner->finishes == 1);
  }
}

TEST_CASE("what a handler has to report after its last flush is reported") {
  class failing_at_the_end final : public handler {
   public:
    void write(const batch&) override { state = keeps; }
    void flush() override {
      if (std::exchange(state, state == reports ? done : state) == reports)
        throw std::runtime_error("seen while it finished");
    }
    void last_flush(std::chrono::steady_clock::time_point) override { state = reports; }
    [[nodiscard]] bool pending() const noexcept override { return state != done; }
    enum { done, keeps, reports } state = done;
  };
  strings told;
  manual_runtime rt({.on_error = [&](const error_report& r) { told.emplace_back(r.detail); }});
  logger lg = rt.get();
  lg.add_handler(std::make_shared<failing_at_the_end>());
  FAULTLINE_INFO(lg, "kept");
  CHECK(rt.get_runtime().stop());
  CHECK(told == strings{"seen while it finished"});
}
