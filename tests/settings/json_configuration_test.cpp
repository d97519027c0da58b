// Settings from JSON.
#include <fstream>
#include <string>

#include <faultline/configuration_error.hpp>
#include <faultline/faultline.hpp>
#include <faultline/json_configuration.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;

namespace {

std::string refusal(std::string_view text) {
  configuration c;
  try {
    read_json(c, text, "app.json");
  } catch (const configuration_error& e) {
    return e.what();
  }
  return "accepted";
}

} // namespace

TEST_CASE("a JSON file sets keys, levels and handlers") {
  const test::temporary_directory folder;
  const std::string path = folder.file("logging.json");
  const std::string log = folder.file("app.log");
  std::ofstream(path) << R"({"level": "info", "levels": {"app.db": "debug"},
    "flush_level": "critical", "flush_levels": {"app": "info"}, // comments are allowed
    "clock": "scope", "buffers_per_thread": 5, "drain_on_terminate": false,
    "handlers": {"root": ["null", "file:)"
                      << log << R"(?format=json"], "app": "null"}})";
  configuration c;
  read_json_file(c, path);
  CHECK(c.options().clock == clock_kind::scope);
  CHECK(c.options().buffers_per_thread == 5);
  runtime r(c.options());
  c.apply(r);
  CHECK(r.get_logger("app").effective_level() == level::info);
  CHECK(r.get_logger("app.db").effective_level() == level::debug);
  FAULTLINE_INFO(r.get_logger("app"), "hello");
  {
    const error_scope scope(r.get_logger("app"), {.target = make_null_handler()});
    FAULTLINE_INFO(r.get_logger("app"), "trips it");
  }
  REQUIRE(r.stop());
  CHECK(r.stats().hand_overs == 1);
  std::string line;
  std::ifstream file(log);
  REQUIRE(std::getline(file, line));
  CHECK(line.find(R"("message":"hello")") != std::string::npos);
}

TEST_CASE("wrong JSON is refused by errors that name the file, the key, the value and what is allowed") {
  CHECK(refusal(R"({"clock": "sundial"})") ==
        "app.json: 'sundial': clock: 'sundial': one of tsc, coarse, scope");
  CHECK(refusal(R"({"buffers_per_thread": 2.5})") ==
        "app.json: '2.5': buffers_per_thread: '2.5': a string, a whole number, true or false");
  CHECK(refusal(R"({"levels": ["a"]})") ==
        R"(app.json: '["a"]': levels: '["a"]': an object whose members are loggers)");
  CHECK(refusal(R"({"levels": {"app": 3}})").starts_with("app.json: '3': level of app: '3': one of trace"));
  CHECK(refusal(R"({"handlers": {"app": [["x"]]}})") ==
        R"(app.json: '["x"]': handler of app: '["x"]': a string, a whole number, true or false)");
  CHECK(refusal(R"({"levle": "info"})").starts_with("app.json: 'levle': key: 'levle': unknown"));
  CHECK(refusal("[1]") == "app.json: '[1]': an object");
  const std::string kept = R"([")" + std::string(37, 'x'); // 39 bytes: the character behind has no room
  CHECK(refusal(kept + "\u00e9\"]") == "app.json: '" + kept + "': an object");
  const std::string damaged = refusal("{\"level\": \n \"info\"");
  CHECK(damaged.starts_with("app.json: "));
  CHECK(damaged.find("line 2") != std::string::npos);
}

TEST_CASE("a JSON file that cannot be read is told by its path") {
  configuration c;
  CHECK_THROWS_AS(read_json_file(c, "/nowhere/logging.json"), std::system_error);
  CHECK_THROWS_WITH(read_json_file(c, "/nowhere/logging.json"), test::contains("/nowhere/logging.json"));
}

TEST_CASE("a JSON file that is a directory is told by its path") {
  configuration c;
  const test::temporary_directory folder;
  const std::string path = folder.file("");
  CHECK_THROWS_AS(read_json_file(c, path), std::system_error);
  CHECK_THROWS_WITH(read_json_file(c, path), test::contains(path));
}

TEST_CASE("wrong JSON leaves the settings as they were, and right JSON replaces whole lists") {
  configuration c;
  read_json(c, R"({"levels": {"app": "info", "db": "error"}})");
  CHECK_THROWS_AS(read_json(c, R"({"levels": {"app": "trace"}, "zone": 1})"), configuration_error);
  const auto level_of = [&c](std::string_view name) {
    runtime r({.default_target = make_null_handler()});
    c.apply(r);
    return r.get_logger(name).effective_level();
  };
  CHECK(level_of("app") == level::info);
  read_json(c, R"({"levels": {"app": "warning"}})");
  CHECK(level_of("app") == level::warning);
  CHECK(level_of("db") == level::debug);
}
