#include <array>
#include <random>
#include <set>

#include <nlohmann/json.hpp>

#include <faultline/formatter.hpp>

#include "support/catch.hpp"
#include "support/clean_text.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using nlohmann::json;
using test::format_one;
using test::sample_record;

namespace {

constexpr std::array<context_field, 2> sample_fields{{{"customer", "Ada \"L.\""}, {"items", "3"}}};
constexpr scope_context sample_scope{.name = "order 4711",
                                     .trace_id = "0af7651916cd43dd8448eb211c80319c",
                                     .span_id = "b7ad6b7169203331",
                                     .fields = sample_fields};

dump_envelope sample_envelope() {
  dump_envelope d;
  d.id = 17;
  d.scope = sample_scope;
  d.logger = "shop.order";
  d.thread_id = 123;
  d.start = test::sample_time();
  d.duration = 1'234'567ns;
  d.trigger = trigger::exception;
  d.reason = "ERROR";
  d.records = 2;
  d.forgotten = 3;
  d.truncated = 1;
  d.lost_contexts = 4;
  return d;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  CHECK(begin == text.size()); // the last line is ended, too
  return lines;
}

/// The object that one record becomes.
json object(const record_view& r, json_formatter_options options = {}) {
  return json::parse(format_one(make_json_formatter(options), r));
}

std::set<std::string> keys(const json& o) {
  std::set<std::string> names;
  for (const auto& [key, value] : o.items()) names.insert(key);
  return names;
}

} // namespace

TEST_CASE("a record is one object on one line, its keys in a fixed order") {
  CHECK(format_one(make_json_formatter(), sample_record("reserve 3")) ==
        R"({"time":"2024-05-01T12:34:56.000789999Z","level":"DEBUG","logger":"shop.order","thread":123,)"
        R"("message":"reserve 3","file":"/src/shop/order.cpp","line":42,"function":"reserve"})"
        "\n");
}

TEST_CASE("a record of a scope that failed says all it knows") {
  record_view r = sample_record("no \"stock\"\n", level::error);
  r.scope = &sample_scope;
  r.dump_id = 17;
  r.time_is_exact = false;
  r.exception_text = "std::runtime_error: no";
  const json o = object(r);
  CHECK(o["message"] == "no \"stock\"\n");
  CHECK(o["level"] == "ERROR");
  CHECK(o["time_exact"] == false);
  CHECK(o["exception"] == "std::runtime_error: no");
  CHECK(o["scope"] == "order 4711");
  CHECK(o["trace_id"] == "0af7651916cd43dd8448eb211c80319c");
  CHECK(o["span_id"] == "b7ad6b7169203331");
  CHECK(o["fields"] == json({{"customer", "Ada \"L.\""}, {"items", "3"}}));
  CHECK(o["dump"] == 17);
}

TEST_CASE("a message is there even where it is empty, and other empty keys are not") {
  const std::set<std::string> least = {"time",    "level", "logger", "thread",
                                       "message", "file",  "line",   "function"};
  CHECK(keys(object(sample_record(""))) == least);
  const scope_context nameless{};
  record_view r = sample_record("");
  r.scope = &nameless;
  CHECK(keys(object(r)) == least);
  r.site = nullptr;
  CHECK(keys(object(r)) == std::set<std::string>{"time", "level", "logger", "thread", "message"});
}

TEST_CASE("each option leaves out its group and nothing else") {
  record_view r = sample_record("m");
  r.scope = &sample_scope;
  const std::set<std::string> all = keys(object(r));
  const auto without = [&](std::set<std::string> group) {
    std::set<std::string> rest = all;
    for (const std::string& key : group) CHECK(rest.erase(key) == 1);
    return rest;
  };
  CHECK(keys(object(r, {.location = false})) == without({"file", "line", "function"}));
  CHECK(keys(object(r, {.context = false})) == without({"scope", "trace_id", "span_id", "fields"}));
  CHECK(keys(object(r, {.thread = false})) == without({"thread"}));
}

TEST_CASE("a thread's name stands beside its number, where it has one") {
  record_view r = sample_record("m", level::info);
  r.thread_name = "worker \"7\"";
  CHECK(object(r)["thread_name"] == "worker \"7\"");
  CHECK(!object(r, {.thread = false}).contains("thread_name"));
  dump_envelope d = sample_envelope();
  d.thread_name = r.thread_name;
  std::string text;
  make_json_formatter()->format(batch({&r, 1}, &d), text);
  CHECK(json::parse(lines_of(text).front())["thread_name"] == "worker \"7\"");
}

TEST_CASE("a dump begins with an object of its facts, which its records name") {
  std::vector<record_view> records(2, sample_record("m"));
  for (record_view& r : records) r.dump_id = 17;
  const dump_envelope envelope = sample_envelope();
  std::string text;
  make_json_formatter()->format(batch(records, &envelope), text);
  const std::vector<std::string> lines = lines_of(text);
  REQUIRE(lines.size() == 3);
  CHECK(json::parse(lines[0]) ==
        json::parse(R"({"event":"dump","time":"2024-05-01T12:34:56.000789999Z","dump":17,
      "logger":"shop.order","thread":123,"duration_ns":1234567,"trigger":"exception","reason":"ERROR","records":2,
      "forgotten":3,"truncated":1,"lost_contexts":4,"scope":"order 4711",
      "trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331",
      "fields":{"customer":"Ada \"L.\"","items":"3"}})"));
  for (const std::string& line : {lines[1], lines[2]}) {
    CHECK(json::parse(line)["dump"] == 17);
    CHECK_FALSE(json::parse(line).contains("event"));
  }
  text.clear();
  make_json_formatter({.envelope = false})->format(batch(records, &envelope), text);
  CHECK(lines_of(text).size() == 2);
}

TEST_CASE("times before the epoch are rounded the same way") {
  record_view r = sample_record("m");
  r.time = std::chrono::system_clock::time_point(-1ns);
  CHECK(object(r)["time"] == "1969-12-31T23:59:59.999999999Z");
  r.time = std::chrono::system_clock::time_point::min();
  CHECK(object(r)["time"] == "1677-09-21T00:12:43.145224192Z");
}

TEST_CASE("a hundred thousand records of random bytes are a hundred thousand objects, and ASCII comes back") {
  std::mt19937 random(7);
  const formatter_ptr f = make_json_formatter();
  constexpr std::size_t rounds = 1000;
  constexpr std::size_t records_a_round = 100;
  std::size_t parsed = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < records_a_round; ++i) {
      std::string text(random() % 60, '\0');
      const unsigned range = i % 2 == 0 ? 128 : 256; // every other one is ASCII, control characters included
      for (char& c : text) c = static_cast<char>(random() % range);
      texts.push_back(std::move(text));
    }
    std::vector<record_view> records;
    for (const std::string& text : texts) {
      records.push_back(sample_record(text));
      records.back().logger = text;
      records.back().exception_text = text;
    }
    std::string out;
    f->format(batch(records), out);
    const std::vector<std::string> lines = lines_of(out);
    REQUIRE(lines.size() == records_a_round);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      REQUIRE(test::is_clean(lines[i]));
      const json o = json::parse(lines[i]);
      if (i % 2 == 0) REQUIRE(o["message"] == texts[i]);
      if (!texts[i].empty()) REQUIRE(o["exception"] == o["message"]);
      ++parsed;
    }
  }
  CHECK(parsed == rounds * records_a_round);
}

TEST_CASE("a dump's own object leaves out what its options leave out") {
  const dump_envelope d = sample_envelope();
  const auto first = [&](json_formatter_options options) {
    return json::parse(lines_of(format_one(make_json_formatter(options), sample_record("m"), &d)).at(0));
  };
  CHECK(first({}).contains("thread"));
  CHECK(first({}).contains("fields"));
  CHECK_FALSE(first({.thread = false}).contains("thread"));
  CHECK_FALSE(first({.context = false}).contains("fields"));
}
