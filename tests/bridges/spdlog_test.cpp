#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/spdlog.hpp>

#include "bridges/storm.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using test::contains;
using test::contents;
using test::manual_runtime;
using test::numbered_records;
using test::rare_error_keeps_context;
using test::sample_record;
using test::soon_a_storm;
using test::strings;
using test::temporary_directory;

namespace {

/// UTC, whatever the machine's zone.
void set_pattern(spdlog::sinks::sink& s, const std::string& pattern) {
  s.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
}

/// Throws for one message.
class faulty_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  std::string seen;
  int flushes = 0;

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    const std::string text(m.payload.data(), m.payload.size());
    if (text.starts_with("record 1")) throw std::runtime_error("no more");
    seen += text + '\n';
  }
  void flush_() override { ++flushes; }
};

std::shared_ptr<spdlog::logger> spdlog_logger(logger lg) {
  auto result = std::make_shared<spdlog::logger>("theirs", make_spdlog_sink(lg));
  result->set_level(spdlog::level::trace);
  return result;
}

} // namespace

TEST_CASE("a rotating sink gets a dump with each record's own time, thread, level, logger and place") {
  const temporary_directory dir;
  const auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(dir.file("log"), 1U << 20, 2);
  set_pattern(*sink, "%Y-%m-%dT%H:%M:%S.%f %t %l %n %s:%# %! %v");
  const handler_ptr h = make_spdlog_sink_handler(sink);
  dump_envelope dump;
  dump.id = 17;
  dump.scope.name = "or\nder";
  dump.logger = "shop";
  dump.thread_id = 99;
  dump.start = test::sample_time() - std::chrono::milliseconds(1);
  dump.records = 2;
  dump.reason = "ERROR";
  const record_view records[] = {sample_record("two\nlines"), sample_record("no stock", level::critical)};
  h->write(batch(records, &dump));
  h->flush();
  CHECK(contents(dir.file("log")) ==
        "2024-05-01T12:34:55.999789 99 critical shop :  dump 17 of or\\nder: 2 records, 0 forgotten, trigger "
        "level (ERROR)\n"
        "2024-05-01T12:34:56.000789 123 debug shop.order order.cpp:42 reserve two\\nlines\n"
        "2024-05-01T12:34:56.000789 123 critical shop.order order.cpp:42 reserve no stock\n");
}

TEST_CASE("a rotating sink rotates what a scope writes") {
  const temporary_directory dir;
  const auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(dir.file("log"), 500, 3);
  const handler_ptr h = make_spdlog_sink_handler(sink, {.envelope = false});
  const numbered_records records(20);
  h->write(records.all());
  h->flush();
  CHECK(contents(dir.file("log")).size() <= 500);
  CHECK_THAT(contents(dir.file("log")), contains("record 19"));
  CHECK(contents(dir.file("log.1")).size() > 300);
}

TEST_CASE("a colour sink colours the level of a dump that another thread logged") {
  const temporary_directory dir;
  std::FILE* const file = std::fopen(dir.file("out").c_str(), "w");
  REQUIRE(file != nullptr);
  std::uint32_t thread_id = 0;
  {
    const auto sink = std::make_shared<spdlog::sinks::ansicolor_sink<spdlog::details::console_mutex>>(
        file, spdlog::color_mode::always);
    set_pattern(*sink, "%t %^%l%$ %v");
    runtime_options options;
    options.default_target = make_spdlog_sink_handler(sink);
    manual_runtime rt(std::move(options));
    const logger lg = rt.get("shop");
    std::thread([&] {
      thread_id = static_cast<std::uint32_t>(::gettid());
      FAULTLINE_SCOPE(lg);
      FAULTLINE_DEBUG(lg, "held");
      FAULTLINE_ERROR(lg, "failed");
    }).join();
    rt.write_all();
  }
  std::fclose(file);
  const std::string id = std::to_string(thread_id);
  const std::string text = contents(dir.file("out"));
  CHECK_THAT(text, contains(id + " \033[36mdebug\033[m held\n"));
  CHECK_THAT(text, contains("error\033[m failed\n") && contains(id + " \033["));
}

TEST_CASE("a record for which the sink throws is lost, and the others are not") {
  const auto sink = std::make_shared<faulty_sink>();
  const handler_ptr h = make_spdlog_sink_handler(sink);
  h->write(numbered_records(3).all());
  CHECK(h->pending());
  CHECK_THROWS_WITH(h->flush(), "no more");
  CHECK_FALSE(h->pending());
  CHECK(h->lost() == 1);
  CHECK(sink->seen == "record 0\nrecord 2..\n");
  CHECK(sink->flushes == 1);
  h->flush();
  CHECK(sink->flushes == 2);
}

TEST_CASE("the sink's own level holds") {
  const auto sink = std::make_shared<faulty_sink>();
  sink->set_level(spdlog::level::err);
  const handler_ptr h = make_spdlog_sink_handler(sink);
  const record_view records[] = {sample_record("a"), sample_record("b", level::error)};
  h->write(batch(records));
  CHECK(sink->seen == "b\n");
  CHECK(h->lost() == 0);
}

TEST_CASE("a sink that keeps messages may look at their source locations later") {
  const auto sink = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(4);
  const handler_ptr h = make_spdlog_sink_handler(sink);
  {
    const std::string file = "/src/gone.cpp";
    site_facts site;
    site.file = file;
    site.function = "gone";
    site.line = 7;
    record_view r = sample_record("x");
    r.site = &site;
    h->write(batch({&r, 1}));
  }
  const auto kept = sink->last_raw();
  REQUIRE(kept.size() == 1);
  CHECK(std::string(kept[0].source.filename) == "/src/gone.cpp");
}

TEST_CASE("no sink is refused") { CHECK_THROWS_AS(make_spdlog_sink_handler(nullptr), configuration_error); }

TEST_CASE("a program that logs by spdlog gains error scopes") {
  manual_runtime rt;
  const logger lg = rt.get("shop");
  const auto theirs = spdlog_logger(lg);
  {
    FAULTLINE_SCOPE(lg);
    theirs->debug("forgotten {}", 1);
  }
  {
    FAULTLINE_SCOPE(lg);
    theirs->debug("held {}", 2);
    theirs->error("failed {}", 3);
  }
  CHECK(rt.messages() == strings{"held 2", "failed 3"});
  const auto records = rt.target->records();
  REQUIRE(records.size() == 2);
  CHECK(records[0].level == level::debug);
  CHECK(records[1].level == level::error);
  CHECK(records[0].logger == "shop");
  CHECK(records[0].thread_id == static_cast<std::uint32_t>(::gettid()));
  CHECK(rt.stats().discarded == 1);
}

TEST_CASE("each of spdlog's levels becomes faultline's") {
  manual_runtime rt;
  logger lg = rt.get("shop");
  lg.set_level(level::trace);
  lg.add_handler(rt.target);
  const auto theirs = spdlog_logger(lg);
  for (int l = spdlog::level::trace; l <= spdlog::level::critical; ++l)
    theirs->log(static_cast<spdlog::level::level_enum>(l), "x");
  rt.write_all();
  const auto records = rt.target->records();
  REQUIRE(records.size() == 6);
  for (unsigned l = 0; l < 6; ++l) CHECK(records[l].level == static_cast<level>(l));
}

TEST_CASE("the place of a spdlog statement stands behind its message") {
  manual_runtime rt;
  logger lg = rt.get("shop");
  lg.add_handler(rt.target);
  spdlog_logger(lg)->log(spdlog::source_loc{"/src/a/b.cpp", 7, "f"}, spdlog::level::info, "here {}");
  CHECK(rt.messages() == strings{"here {} (b.cpp:7)"});
}

TEST_CASE("handlers see the place of a spdlog statement as the record's own") {
  std::string place;
  manual_runtime rt;
  logger lg = rt.get("shop");
  lg.add_handler(make_callback_handler([&](const record_view& r) {
    place =
        std::string(r.site->file) + ':' + std::to_string(r.site->line) + ' ' + std::string(r.site->function);
  }));
  spdlog_logger(lg)->log(spdlog::source_loc{"/src/a/b.cpp", 7, "f"}, spdlog::level::info, "here");
  rt.write_all();
  CHECK(place == "/src/a/b.cpp:7 f");
}

TEST_CASE("a rare error that comes by spdlog has its context in a storm of another one") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("shop");
  const auto theirs = spdlog_logger(lg);
  CHECK(rare_error_keeps_context(
      rt, lg, [&](int) { SPDLOG_LOGGER_ERROR(theirs.get(), "failed"); },
      [&] { SPDLOG_LOGGER_ERROR(theirs.get(), "failed"); }));
  CHECK(rare_error_keeps_context(
      rt, lg, [&](int i) { theirs->error("order {} failed", i); }, [&] { theirs->error("disk full"); }));
  CHECK_FALSE(rare_error_keeps_context(
      rt, lg, [&](int i) { theirs->error("order {} failed", i); },
      [&] { theirs->error("order {} failed", 7); }));
}

TEST_CASE("a rare error of faultline's own statements has its context in a storm of another one") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("shop");
  CHECK(rare_error_keeps_context(
      rt, lg, [&](int) { FAULTLINE_ERROR(lg, "failed"); }, [&] { FAULTLINE_ERROR(lg, "failed"); }));
}

TEST_CASE("the logger's level holds for spdlog's messages") {
  manual_runtime rt;
  logger lg = rt.get("shop");
  lg.add_handler(rt.target);
  lg.set_level(level::warning);
  const auto theirs = spdlog_logger(lg);
  theirs->info("no");
  theirs->warn("yes");
  CHECK(rt.messages() == strings{"yes"});
}

TEST_CASE("a child that was forked while the sink was at work counts its records as lost") {
  int status = -1;
  handler_ptr h;
  class forking_sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    handler_ptr* handler = nullptr;
    int* status = nullptr;

   private:
    void sink_it_(const spdlog::details::log_msg&) override { // with the sink's lock taken
      const ::pid_t child = ::fork();
      if (child == 0) {
        (*handler)->after_fork();
        (*handler)->write(numbered_records(2).all());
        (*handler)->flush();
        ::_exit((*handler)->lost() == 2 ? 0 : 1);
      }
      (void)::waitpid(child, status, 0);
    }
    void flush_() override {}
  };
  const auto sink = std::make_shared<forking_sink>();
  sink->handler = &h;
  sink->status = &status;
  h = make_spdlog_sink_handler(sink);
  h->write(numbered_records(1).all());
  CHECK(status == 0);
  h->after_fork(); // at rest: the sink goes on
  h->write(numbered_records(1).all());
  CHECK(h->lost() == 0);
}

TEST_CASE("a child that was forked while the sink was at work and never logs does not destroy the sink") {
  class forking_sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    ~forking_sink() override {
      if (in_child) ::_exit(3); // here the lock of a real one would be waited for
    }
    handler_ptr* handler = nullptr;
    std::shared_ptr<forking_sink>* self = nullptr;
    bool in_child = false;
    int status = -1;

   private:
    void sink_it_(const spdlog::details::log_msg&) override { // with the sink's lock taken
      const ::pid_t child = ::fork();
      if (child == 0) {
        in_child = true;
        self->reset();
        handler->reset();
        ::_exit(0);
      }
      (void)::waitpid(child, &status, 0);
    }
    void flush_() override {}
  };
  auto sink = std::make_shared<forking_sink>();
  handler_ptr h = make_spdlog_sink_handler(sink);
  sink->self = &sink;
  sink->handler = &h;
  h->write(numbered_records(1).all());
  CHECK(WIFEXITED(sink->status));
  CHECK(WEXITSTATUS(sink->status) == 0);
}
