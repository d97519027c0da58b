// Settings as text: keys, values, the environment, and the errors of wrong ones.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <faultline/configuration.hpp>
#include <faultline/configuration_error.hpp>
#include <faultline/faultline.hpp>

#include "stress/child.hpp"
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

/// How many descriptors of this process are of that file: so many handlers write to it.
std::size_t count_open(const std::string& path) {
  std::size_t count = 0;
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone; // the directory's own descriptor
    count += std::filesystem::read_symlink(one, gone) == path ? 1 : 0;
  }
  return count;
}

/// Standard error goes to a file for as long as it lives.
class diverted_stderr {
 public:
  explicit diverted_stderr(const std::string& path) : before_(::dup(STDERR_FILENO)) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(::dup2(file, STDERR_FILENO) == STDERR_FILENO);
    ::close(file);
  }
  diverted_stderr(const diverted_stderr&) = delete;
  diverted_stderr& operator=(const diverted_stderr&) = delete;
  ~diverted_stderr() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }

 private:
  int before_;
};

level level_after(configuration& c, std::string_view logger) {
  runtime r({.default_target = make_null_handler()});
  c.apply(r);
  return r.get_logger(logger).effective_level();
}

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
                                   {"drain_on_terminate", "true"},
                                   {"hold_outside_scopes", "true"},
                                   {"stats_interval", "90s"}})
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
  CHECK(o.hold_outside_scopes);
  CHECK(o.stats_interval == 90s);
  CHECK(o.default_target == nullptr);
}

TEST_CASE("a wrong value is refused by an error that names key, value and what is allowed") {
  CHECK(refusal("clock", "sundial") == "clock: 'sundial': one of tsc, coarse, scope");
  CHECK(refusal("level", "loud") ==
        "level of root: 'loud': one of trace, debug, info, warning, error, critical, off");
  CHECK(refusal("levels", "app=debug,db=x") ==
        "level of db: 'x': one of trace, debug, info, warning, error, critical, off");
  CHECK(refusal("flush_levels", "app=x").starts_with("flush level of app: 'x': one of trace"));
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
  c.set("flush_level", "critical");
  c.set("flush_levels", "app=error,app.db=warning");
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
  {
    const error_scope scope(r.get_logger("app.db"), {.target = make_null_handler()});
    FAULTLINE_WARNING(r.get_logger("app.db"), "trips it");
  }
  {
    const error_scope scope(r.get_logger("other"), {.target = make_null_handler()});
    FAULTLINE_ERROR(r.get_logger("other"), "does not");
  }
  REQUIRE(r.stop());
  CHECK(r.stats().hand_overs == 2);
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

TEST_CASE(
    "what the runtime, a file's handler or a logger's name would be refused for is refused when it is set") {
  CHECK(refusal("buffer_bytes", "1") == "buffer_bytes: '1': must be from 4096 to 16777216");
  CHECK(refusal("buffer_bytes", "6KiB").ends_with("must be a multiple of 4096"));
  CHECK(refusal("storm_burst", "0").starts_with("storm_burst: '0': must be from 1"));
  CHECK(refusal("busy_interval", "1000000000s").ends_with("must be from 0 to one minute"));
  CHECK(refusal("target", "rotating:/x?keep=0") == "target keep: '0': 1 to 1000 old files");
  CHECK(refusal("target", "rotating:/x?keep=1001") == "target keep: '1001': 1 to 1000 old files");
  CHECK(refusal("target", "rotating:/x?max_bytes=0") ==
        "target max_bytes: '0': without an interval the file would never be rotated");
  CHECK(refusal("target", "rotating:/x?max_bytes=0&interval=1s") == "accepted");
  CHECK(refusal("target", "file:/x?spool_bytes=0") == "target spool_bytes: '0': at least one byte is needed");
  CHECK(refusal("levels", "a..b=info") ==
        "levels: 'a..b': logger name: 'a..b': a part between dots is empty");
  CHECK(refusal("flush_levels", ".a=info").starts_with("flush_levels: '.a': logger name"));
  CHECK(refusal("handlers", "a.=null").starts_with("handlers: 'a.': logger name"));
}

TEST_CASE("an interval that is not of whole seconds is refused, not rounded") {
  CHECK(refusal("target", "rotating:/x?interval=500ms") == "target interval: '500ms': whole seconds");
  CHECK(refusal("target", "rotating:/x?interval=1500ms") == "target interval: '1500ms': whole seconds");
  CHECK(refusal("target", "rotating:/x?interval=2000ms") == "accepted");
}

TEST_CASE("a wrong pattern is refused by the name of its key, with the place in it") {
  const std::string told = refusal("handlers", "root=null?pattern={mesage}");
  CHECK(told.starts_with("handler of root pattern: '{mesage}': "));
  CHECK(told.find("mesage", 40) != std::string::npos);
}

TEST_CASE("a refused value leaves everything as it was") {
  const test::temporary_directory folder;
  const std::string path = folder.file("kept.log");
  configuration c;
  c.set("levels", "app=error");
  c.set("flush_levels", "app=critical");
  c.set("handlers", "app=file:" + path);
  CHECK_THROWS_AS(c.set("levels", "app=debug,db=x"), configuration_error);
  CHECK_THROWS_AS(c.set("flush_levels", "app=error,db=x"), configuration_error);
  CHECK_THROWS_AS(c.set("handlers", "app=null;db=nowhere"), configuration_error);
  {
    const variable good("FAULTLINE_TEST_LEVELS", "app=trace"); // wherever it stands beside the wrong ones
    const variable wrong("FAULTLINE_TEST_CLOCK", "sundial");
    const variable good_too("FAULTLINE_TEST_TARGET", "null");
    CHECK_THROWS_AS(c.read_environment("FAULTLINE_TEST_"), configuration_error);
  }
  CHECK(c.options().default_target == nullptr);
  runtime r({.default_target = make_null_handler()});
  c.apply(r);
  CHECK(r.get_logger("app").effective_level() == level::error);
  CHECK(count_open(path) == 1);
  {
    const error_scope scope(r.get_logger("app"));
    FAULTLINE_ERROR(r.get_logger("app"), "does not trip it");
  }
  REQUIRE(r.stop());
  CHECK(r.stats().hand_overs == 0);
}

TEST_CASE("a list of levels that is set again replaces the first one, and not the root's level") {
  configuration c;
  c.set("level", "warning");
  c.set("levels", "app=error,db=error");
  c.set("levels", "app=info");
  CHECK(level_after(c, "app") == level::info);
  CHECK(level_after(c, "db") == level::warning);
  c.set("levels", "root=error");
  CHECK(level_after(c, "db") == level::error);
  c.set("level", "critical");
  CHECK(level_after(c, "db") == level::critical);
  c.set("levels", "");
  CHECK(level_after(c, "app") == level::critical);
}

TEST_CASE("a list of flush levels that is set again replaces the first one") {
  configuration c;
  c.set("flush_levels", "app=info,db=info");
  c.set("flush_levels", "app=warning");
  runtime r({.default_target = make_null_handler()});
  c.apply(r);
  for (const char* const name : {"app", "db"}) {
    const error_scope scope(r.get_logger(name));
    FAULTLINE_INFO(r.get_logger(name), "trips none");
  }
  REQUIRE(r.stop());
  CHECK(r.stats().hand_overs == 0);
}

TEST_CASE("runtimes of one configuration have handlers of their own") {
  const test::temporary_directory folder;
  const std::string target = folder.file("target.log");
  const std::string other = folder.file("other.log");
  configuration c;
  c.set("target", "file:" + target);
  c.set("handlers", "root=file:" + target + ";app=file:" + other);
  runtime first(c.options());
  c.apply(first);
  CHECK(count_open(target) == 1);
  runtime second(c.options());
  c.apply(second);
  CHECK(count_open(target) == 2);
  CHECK(count_open(other) == 2);
  c.apply(first);
  CHECK(count_open(other) == 2);
  c.apply(second);
  CHECK(count_open(target) == 2);
}

TEST_CASE("handlers that write to standard error share it with the default target") {
  const test::temporary_directory folder;
  const auto dumped = [&folder](const char* handlers) {
    const std::string path = folder.file("stderr");
    const diverted_stderr diverted(path);
    configuration c;
    c.set("handlers", handlers);
    runtime r(c.options());
    c.apply(r);
    {
      const error_scope scope(r.get_logger("app"));
      FAULTLINE_ERROR(r.get_logger("app"), "told once");
    }
    REQUIRE(r.stop());
    return test::contents(path);
  };
  for (const char* const handlers :
       {"root=stderr", "db=null;root=stderr?level=warning", "root=console?level=error"}) {
    const std::string text = dumped(handlers);
    CHECK(text.find("told once") != std::string::npos);
    CHECK(text.find("told once") == text.rfind("told once"));
  }
  const std::string apart = dumped("root=null");
  CHECK(apart.find("told once") != std::string::npos); // the control: the default target was no handler
}

TEST_CASE("the default runtime does not start when a handler cannot be opened, and starts with other "
          "settings, once") {
  const int status = stress::in_child([] {
    configuration c;
    c.set("handlers", "root=file:/nowhere/at/all.log");
    try {
      start(c);
      return 1;
    } catch (const std::system_error&) {
    }
    c.set("handlers", "root=null");
    if (&start(c) != &default_runtime()) return 2;
    c.set("handlers", "root=file:late.log"); // too late: nothing is opened
    try {
      start(c);
      return 3;
    } catch (const configuration_error&) {
    }
    return access("late.log", F_OK) == 0 ? 4 : 0;
  });
  CHECK(status == 0);
}
