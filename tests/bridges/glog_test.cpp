#include <csignal>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/glog.hpp>

#include "bridges/storm.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using test::contains;
using test::contents;
using test::manual_runtime;
using test::rare_error_keeps_context;
using test::soon_a_storm;
using test::temporary_directory;

namespace {

/// glog with this sink and nothing else.
class glog_with {
 public:
  explicit glog_with(std::unique_ptr<google::LogSink> sink) : sink_(std::move(sink)) {
    static const bool initialised = (google::InitGoogleLogging("glog_test"), true);
    REQUIRE(initialised);
    FLAGS_logtostderr = false;
    FLAGS_stderrthreshold = google::GLOG_FATAL;
    for (int s = 0; s < google::NUM_SEVERITIES; ++s) google::SetLogDestination(s, "");
    google::AddLogSink(sink_.get());
  }
  glog_with(const glog_with&) = delete;
  glog_with& operator=(const glog_with&) = delete;
  ~glog_with() { google::RemoveLogSink(sink_.get()); }

 private:
  std::unique_ptr<google::LogSink> sink_;
};

} // namespace

TEST_CASE("a failure in a program that logs by glog writes what was held") {
  manual_runtime rt;
  const logger lg = rt.get("shop");
  const glog_with glog(make_glog_sink(lg, {.owner = &rt.get_runtime()}));
  {
    FAULTLINE_SCOPE(lg);
    LOG(INFO) << "forgotten";
  }
  {
    FAULTLINE_SCOPE(lg);
    LOG(INFO) << "order " << 4711;
    LOG(WARNING) << "slow";
    LOG(ERROR) << "no stock";
  }
  rt.write_all();
  const auto records = rt.target->records();
  REQUIRE(records.size() == 3);
  CHECK_THAT(records[0].message, contains("order 4711 (glog_test.cpp:"));
  CHECK(records[0].level == level::info);
  CHECK(records[1].level == level::warning);
  CHECK(records[2].level == level::error);
  CHECK(records[2].logger == "shop");
}

TEST_CASE("a rare error that comes by glog has its context in a storm of another one") {
  manual_runtime rt(soon_a_storm());
  const logger lg = rt.get("shop");
  const glog_with glog(make_glog_sink(lg, {.owner = &rt.get_runtime()}));
  const auto common = [](auto...) { LOG(ERROR) << "failed"; };
  CHECK(rare_error_keeps_context(rt, lg, common, [] { LOG(ERROR) << "failed"; }));
  CHECK_FALSE(rare_error_keeps_context(rt, lg, common, common));
}

TEST_CASE("handlers see the place of a glog statement as the record's own") {
  std::string file;
  std::uint32_t line = 0;
  manual_runtime rt;
  logger lg = rt.get("shop");
  lg.add_handler(make_callback_handler([&](const record_view& r) {
    file = r.site->file;
    line = r.site->line;
  }));
  const glog_with glog(make_glog_sink(lg, {.owner = &rt.get_runtime()}));
  LOG(INFO) << "here";
  rt.write_all();
  CHECK(file == __FILE__);
  CHECK(line == __LINE__ - 3);
}

TEST_CASE("LOG(FATAL) writes the scope's records before the process ends") {
  const temporary_directory dir;
  const ::pid_t child = ::fork();
  if (child == 0) {
    (void)std::signal(SIGABRT, SIG_DFL); // not the test framework's
    if (const int nowhere = ::open("/dev/null", O_WRONLY); nowhere >= 0) (void)::dup2(nowhere, 2);
    runtime_options options;
    options.default_target = make_file_handler(dir.file("log"));
    options.idle_interval = std::chrono::milliseconds(1);
    faultline::start(std::move(options));
    const logger lg = get_logger("shop");
    const glog_with glog(make_glog_sink(lg));
    runtime_options other_options; // a second sink, of another runtime
    other_options.default_target = make_file_handler(dir.file("other"));
    other_options.idle_interval = std::chrono::minutes(1);
    other_options.busy_interval = std::chrono::minutes(1); // it writes when it is told to
    runtime other(std::move(other_options));
    const logger other_lg = other.get_logger("other");
    const glog_with other_glog(make_glog_sink(other_lg, {.owner = &other}));
    const error_scope other_scope(other_lg);
    FAULTLINE_SCOPE(lg, .name = "order");
    FAULTLINE_DEBUG(lg, "held");
    LOG(FATAL) << "the end";
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  const std::string text = contents(dir.file("log"));
  CHECK_THAT(text, contains("scope=order") && contains("shop held\n"));
  CHECK_THAT(text, contains("CRITICAL shop the end (glog_test.cpp:"));
  CHECK_THAT(contents(dir.file("other")), contains("CRITICAL other the end (glog_test.cpp:"));
}

TEST_CASE("a time that is negative or longer than an hour is refused") {
  manual_runtime rt;
  for (const auto wrong : {std::chrono::milliseconds(-1), std::chrono::milliseconds(3'600'001),
                           std::chrono::milliseconds::max()})
    CHECK_THROWS_AS(make_glog_sink(rt.get("a"), {.fatal_flush = wrong}), configuration_error);
}
