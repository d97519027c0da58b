// Settings as text: keys, values, the environment, and the errors of wrong ones.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <faultline/configuration.hpp>
#include <faultline/configuration_error.hpp>
#include <faultline/faultline.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using namespace std::chrono_literals;

namespace {

/// What the error of a wrong setting says.
std::string refusal(const std::string& key, const std::string& value) {
  configuration c;
  try {
    c.set(key, value);
  } catch (const configuration_error& e) {
    return e.what();
  }
  return "accepted";
}

/// A variable of the environment for as long as it lives.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

} // namespace

TEST_CASE("each option of the runtime is set by its name") {
  configuration c;
  for (const auto& [key, value] : {std::pair{"clock", "scope"},
                                   {"flusher", "spinning"},
                                   {"on_outbox_full", "block"},
                                   {"buffer_bytes", "64KiB"},
                                   {"buffers_per_thread", "4"},
                                   {"outbox_bytes", "1MiB"},
                                   {"argument_bytes", "2000"},
                                   {"busy_interval", "250us"},
                                   {"idle_interval", "2s"},
                                   {"storm_dumps_per_second", "7"},
                                   {"storm_burst", "9"},
                                   {"drain_on_terminate", "true"}})
    c.set(key, value);
  const runtime_options o = c.options();
  CHECK(o.clock == clock_kind::scope);
  CHECK(o.flusher == flusher_mode::spinning);
  CHECK(o.on_outbox_full == outbox_policy::block);
  CHECK(o.buffer_bytes == 65536);
  CHECK(o.buffers_per_thread == 4);
  CHECK(o.outbox_bytes == 1 << 20);
  CHECK(o.argument_bytes == 2000);
  CHECK(o.busy_interval == 250us);
  CHECK(o.idle_interval == 2s);
  CHECK(o.storm_dumps_per_second == 7);
  CHECK(o.storm_burst == 9);
  CHECK(o.drain_on_terminate);
  CHECK(o.default_target == nullptr);
}

TEST_CASE("a wrong value is refused by an error that names key, value and what is allowed") {
  CHECK(refusal("clock", "sundial") == "clock: 'sundial': one of tsc, coarse, scope");
  CHECK(refusal("level", "loud") ==
        "level of root: 'loud': one of trace, debug, info, warning, error, critical, off");
  CHECK(refusal("levels", "app=debug,db=x") ==
        "level of db: 'x': one of trace, debug, info, warning, error, critical, off");
  CHECK(refusal("levels", "app") == "levels: 'app': each part reads LOGGER=VALUE; between parts stands a ,");
  CHECK(refusal("buffer_bytes", "64 kB") ==
        "buffer_bytes: '64 kB': a whole number, which may end in KiB or MiB");
  CHECK(refusal("buffer_bytes", "18446744073709551615KiB").starts_with("buffer_bytes: '1844"));
  CHECK(refusal("storm_burst", "4294967296") == "storm_burst: '4294967296': at most 4294967295");
  CHECK(refusal("busy_interval", "10") ==
        "busy_interval: '10': a whole number and its unit, us, ms or s, such as 10ms");
  CHECK(refusal("drain_on_terminate", "1") == "drain_on_terminate: '1': one of true, false");
  CHECK(refusal("colour", "red")
            .starts_with("key: 'colour': unknown; the keys are argument_bytes, buffer_bytes"));
}

TEST_CASE("a wrong target is refused before anything is opened") {
  CHECK(refusal("target", "syslog") ==
        "target: 'syslog': one of stderr, stdout, console, null, file, rotating");
  CHECK(refusal("target", "file:") == "target: 'file:': a path follows, as in file:/var/log/app.log");
  CHECK(refusal("target", "stderr:/x") == "target: 'stderr:/x': nothing follows stderr but options");
  CHECK(refusal("target", "stderr?append=true").starts_with("target: 'append': no option of this target"));
  CHECK(refusal("target", "file:/x?mode=9") == "target mode: '9': permission bits in octal, such as 0640");
  CHECK(refusal("target", "file:/x?format=xml") == "target format: 'xml': one of text, json");
  CHECK(refusal("target", "null?background=yes").starts_with("target background: 'yes': one of"));
  CHECK(refusal("target", "file:/x?level") == "target: 'level': an option of a target reads NAME=VALUE");
  CHECK(refusal("target", "null?format=json&pattern={message}").starts_with("target: 'pattern': is for"));
  CHECK(refusal("target", "null?pattern={mesage}") != "accepted");
  CHECK(refusal("handlers", "root=nowhere").starts_with("handler of root: 'nowhere'"));
}

TEST_CASE("levels and handlers reach the loggers, and one target named twice is one handler") {
  const test::temporary_directory folder;
  const std::string path = folder.file("app.log");
  configuration c;
  c.set("level", "warning");
  c.set("levels", "app=info,app.db=DEBUG");
  c.set("target", "file:" + path + "?mode=0600&pattern={level}|{message}");
  c.set("handlers", "root=file:" + path + "?mode=0600&pattern={level}|{message};app.db=null");
  runtime r(c.options());
  c.apply(r);
  CHECK(r.get_logger().effective_level() == level::warning);
  CHECK(r.get_logger("app.http").effective_level() == level::info);
  CHECK(r.get_logger("app.db.pool").effective_level() == level::debug);
  FAULTLINE_INFO(r.get_logger("app"), "passed");
  {
    const error_scope scope(r.get_logger("app"));
    FAULTLINE_ERROR(r.get_logger("app"), "told once");
  }
  REQUIRE(r.stop());
  CHECK(test::contents(path).starts_with("INFO|passed\n"));
  CHECK(test::contents(path).find("told once") == test::contents(path).rfind("told once"));
}

namespace {

/// How many of the process's threads have that name.
std::size_t threads_named(std::string_view name) {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    count += test::contents(task.path().string() + "/comm") == std::string(name) + '\n' ? 1 : 0;
  return count;
}

} // namespace

TEST_CASE("a target in the background has its level and pattern, and writes on a thread of its own") {
  const test::temporary_directory folder;
  const auto written = [&](const std::string& background) {
    const std::string path = folder.file("app" + background + ".log");
    configuration c;
    c.set("handlers",
          "root=file:" + path + "?level=warning&background=" + background + "&pattern=|{message}|");
    runtime r(c.options());
    c.apply(r);
    FAULTLINE_INFO(r.get_logger(), "below its level");
    FAULTLINE_ERROR(r.get_logger(), "no stock");
    REQUIRE(r.flush());
    CHECK(threads_named("faultline-back") == (background == "true" ? 1 : 0));
    return test::contents(path);
  };
  CHECK(written("false") == "|no stock|\n");
  CHECK(written("true") == "|no stock|\n");
}

TEST_CASE("the environment sets keys, and a variable that is no key or has a wrong value is an error") {
  const variable level_variable("FAULTLINE_TEST_LEVEL", "error");
  const variable clock_variable("FAULTLINE_TEST_CLOCK", "coarse");
  configuration c;
  c.set("level", "trace");
  c.read_environment("FAULTLINE_TEST_");
  CHECK(c.options().clock == clock_kind::coarse);
  {
    runtime r(c.options());
    c.apply(r);
    CHECK(r.get_logger().effective_level() == level::error);
  }
  const auto error = [] {
    configuration fresh;
    try {
      fresh.read_environment("FAULTLINE_TEST_");
    } catch (const configuration_error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  {
    const variable wrong("FAULTLINE_TEST_FLUSHER", "none");
    CHECK(error() == "FAULTLINE_TEST_FLUSHER: 'none': flusher: 'none': one of thread, spinning");
  }
  {
    const variable misspelt("FAULTLINE_TEST_LEVLE", "debug");
    CHECK(error().starts_with("FAULTLINE_TEST_LEVLE: 'levle': key: 'levle': unknown; the keys are"));
  }
  CHECK(error() == "accepted");
}

TEST_CASE("a file that cannot be opened is told when the options are made, by its path") {
  configuration c;
  c.set("target", "file:/nowhere/at/all.log");
  CHECK_THROWS_AS(c.options(), std::system_error);
  CHECK_THROWS_WITH(c.options(), test::contains("/nowhere/at/all.log"));
}
