#include "syslog/syslog_encoder.hpp"

#include <string>
#include <vector>

#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "support/catch.hpp"
#include "support/clean_text.hpp"
#include "support/sample_records.hpp"
#include "syslog/syslog_text.hpp"

using namespace faultline;
using namespace faultline::detail;
using test::contains;
using test::sample_record;

namespace {

syslog_options sample_options() {
  syslog_options options;
  options.hostname = "web3";
  options.app_name = "shop";
  return options;
}

std::string encode(const record_view& r, const syslog_options& options = sample_options()) {
  return syslog_encoder(options).encode(r, r.message()).text;
}

std::string value_of(std::string_view text) {
  std::string out;
  append_parameter_value(text, out);
  return out;
}

std::string pid() { return std::to_string(::getpid()); }

} // namespace

TEST_CASE("a record outside scopes is one RFC 5424 message") {
  CHECK(encode(sample_record("no stock", level::error)) ==
        "<11>1 2024-05-01T12:34:56.000789Z web3 shop " + pid() +
            " shop.order [meta sequenceId=\"1\"][faultline@32473 logger=\"shop.order\" thread=\"123\" "
            "file=\"order.cpp\" line=\"42\" function=\"reserve\"] no stock");
}

TEST_CASE("a record of a dump carries its scope, and the scope's fields in an element of their own") {
  const std::vector<context_field> fields{{"user", "4711"}, {"no te", "a]b\"c\\d"}, {"", ""}};
  const scope_context scope{"order", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", fields};
  record_view r = sample_record("x", level::debug);
  r.scope = &scope;
  r.dump_id = 17;
  r.time_is_exact = false;
  syslog_options options = sample_options();
  options.sequence_id = false;
  options.facility = syslog_facility::local7;
  options.record_id = "log@1.2";
  options.fields_id = "f@1.2";
  CHECK(encode(r, options) ==
        "<191>1 2024-05-01T12:34:56.000789Z web3 shop " + pid() +
            " shop.order [log@1.2 logger=\"shop.order\" thread=\"123\" time=\"inexact\" file=\"order.cpp\" "
            "line=\"42\" function=\"reserve\" dump_id=\"17\" scope=\"order\" "
            "trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\" span_id=\"00f067aa0ba902b7\"]"
            "[f@1.2 user=\"4711\" no_te=\"a\\]b\\\"c\\\\d\" -=\"\"] x");
}

TEST_CASE("the envelope is a message of the gravest level with the dump's facts") {
  dump_envelope dump;
  dump.id = 17;
  dump.scope.name = "order";
  dump.logger = "shop.order";
  dump.thread_id = 123;
  dump.start = test::sample_time();
  dump.duration = std::chrono::microseconds(53);
  dump.reason = "ERROR";
  dump.records = 3;
  dump.forgotten = 2;
  syslog_encoder encoder(sample_options());
  CHECK(encoder.encode(dump, level::critical).text ==
        "<10>1 2024-05-01T12:34:56.000789Z web3 shop " + pid() +
            " dump [meta sequenceId=\"1\"][faultline@32473 dump_id=\"17\" scope=\"order\" "
            "logger=\"shop.order\" thread=\"123\" duration_us=\"53\" trigger=\"level\" reason=\"ERROR\" "
            "records=\"3\" forgotten=\"2\" truncated=\"0\"] dump 17 of order: 3 records, 2 forgotten, "
            "trigger level (ERROR)");
}

TEST_CASE("levels become the severities of RFC 5424") {
  const std::vector<unsigned> expected{7, 7, 6, 4, 3, 2};
  for (unsigned l = 0; l < expected.size(); ++l) CHECK(syslog_severity(static_cast<level>(l)) == expected[l]);
}

TEST_CASE("parameter values are escaped, and hold no control characters and no invalid UTF-8") {
  CHECK(value_of("a\"b]c\\d[") == "a\\\"b\\]c\\\\d[");
  CHECK(value_of("grün 日本 😀") == "grün 日本 😀");
  CHECK(value_of("a\nb") == "a\\\\nb");
  CHECK(value_of("\xFF\xC0\x80") == "\\\\xff\\\\xc0\\\\x80");
  CHECK(value_of("\xC2\x85") == "\\\\xc2\\\\x85");            // a C1 control
  CHECK(value_of("\xED\xA0\x80") == "\\\\xed\\\\xa0\\\\x80"); // a surrogate
}

TEST_CASE("every text becomes clean, byte by byte") {
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b), '\x80', 'x'};
      std::string out;
      append_clean(text, out);
      if (!test::is_clean(out)) FAIL("not clean: " << a << ' ' << b);
    }
}

TEST_CASE("a time before 1970 and one beyond the year 9999 have a time stamp") {
  using namespace std::chrono;
  std::string out;
  append_syslog_time(system_clock::time_point(microseconds(-1)), out);
  CHECK(out == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("a message is cut between characters to its bound, and says how much is missing") {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "ü€";
  syslog_options options = sample_options();
  for (std::size_t most = 480; most < 500; ++most) {
    options.max_message_bytes = most;
    const std::string message = encode(sample_record(text), options);
    CHECK(message.size() <= most);
    CHECK(message.size() > most - 4);
    CHECK(test::is_clean(message));
    const std::size_t body = message.find("] ") + 2;
    const std::size_t mark = message.find("... (");
    REQUIRE(mark != std::string::npos);
    CHECK(message.substr(mark) == "... (" + std::to_string(text.size() - (mark - body)) + " bytes cut)");
  }
}

TEST_CASE("structured data takes at most half of what the header leaves, and counts what it left out") {
  const std::string big(300, 'v');
  const std::vector<context_field> fields{{"a", "1"}, {"big", big}, {"b", "2"}, {"big2", big}};
  scope_context scope;
  scope.fields = fields;
  record_view r = sample_record("the message");
  r.scope = &scope;
  syslog_options options = sample_options();
  options.max_message_bytes = 700;
  const std::string message = encode(r, options);
  CHECK_THAT(message, contains("[fields@32473 a=\"1\" b=\"2\" omitted=\"2\"] the message"));
}

TEST_CASE("fields without any room are counted, and so is an empty one") {
  const std::string scope_name(40, 's');
  const std::vector<context_field> fields{{"user", "4711"}, {"empty", ""}};
  scope_context scope;
  scope.name = scope_name;
  scope.fields = fields;
  record_view r = sample_record("the message");
  r.scope = &scope;
  r.dump_id = 17;
  syslog_options options = sample_options();
  // The record's own parameters take what there is, whatever the bound.
  for (options.max_message_bytes = 480; options.max_message_bytes <= 560; ++options.max_message_bytes) {
    const std::string message = encode(r, options);
    const std::size_t at = message.find("[fields@32473");
    REQUIRE(at != std::string::npos);
    const std::string element = message.substr(at, message.find(']', at) + 1 - at);
    const bool counted = element == "[fields@32473 omitted=\"2\"]" ||
                         element == "[fields@32473 user=\"4711\" omitted=\"1\"]" ||
                         element == "[fields@32473 user=\"4711\" empty=\"\"]";
    CAPTURE(element);
    CHECK(counted);
  }
}

TEST_CASE("a header of the greatest size leaves a valid message within the least bound") {
  syslog_options options = sample_options();
  options.hostname = std::string(255, 'h');
  options.app_name = std::string(48, 'a');
  options.max_message_bytes = 480;
  record_view r = sample_record("a message of some length, of which not all has room");
  const std::string name(100, 'l');
  r.logger = name;
  const std::string message = encode(r, options);
  CHECK(message.size() <= 480);
  CHECK_THAT(message, contains(" " + std::string(32, 'l') + " [meta sequenceId=\"1\"] "));
}

TEST_CASE("the byte order mark comes before the message when it is asked for") {
  syslog_options options = sample_options();
  options.byte_order_mark = true;
  CHECK_THAT(encode(sample_record("grün"), options), contains("] \xEF\xBB\xBFgrün"));
}

TEST_CASE("numbers that are left out go round as the others do") {
  syslog_encoder encoder(sample_options());
  const auto next = [&] { return encoder.encode(sample_record("x"), "x").text; };
  encoder.skip(4);
  CHECK_THAT(next(), contains("sequenceId=\"5\""));
  encoder.skip(2147483647 - 5);
  CHECK_THAT(next(), contains("sequenceId=\"1\""));
}

TEST_CASE("messages are numbered one after the other, and a forked child's from one") {
  syslog_encoder encoder(sample_options());
  const record_view r = sample_record("x");
  CHECK_THAT(encoder.encode(r, "x").text, contains("sequenceId=\"1\""));
  CHECK_THAT(encoder.encode(r, "x").text, contains("sequenceId=\"2\""));
  encoder.after_fork();
  CHECK_THAT(encoder.encode(r, "x").text, contains("sequenceId=\"1\""));
}

TEST_CASE("options that make no RFC 5424 message are refused by name") {
  const auto refused = [](auto change, const std::string& name) {
    syslog_options options = sample_options();
    change(options);
    CHECK_THROWS_WITH(syslog_encoder(options), contains(name));
  };
  refused([](syslog_options& o) { o.hostname = "a b"; }, "hostname");
  refused([](syslog_options& o) { o.hostname = std::string(256, 'h'); }, "hostname");
  refused([](syslog_options& o) { o.app_name = std::string(49, 'a'); }, "app_name");
  refused([](syslog_options& o) { o.record_id = "faultline"; }, "record_id");
  refused([](syslog_options& o) { o.record_id = "a=b@1"; }, "record_id");
  refused([](syslog_options& o) { o.fields_id = "@1"; }, "fields_id");
  refused([](syslog_options& o) { o.fields_id = o.record_id; }, "fields_id");
  refused([](syslog_options& o) { o.max_message_bytes = 479; }, "max_message_bytes");
  refused([](syslog_options& o) { o.max_message_bytes = 65508; }, "max_message_bytes");
  refused([](syslog_options& o) { o.facility = static_cast<syslog_facility>(24); }, "facility");
}
