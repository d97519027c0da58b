#include <array>
#include <random>

#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/formatter.hpp>

#include "support/catch.hpp"
#include "support/clean_text.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::format_one;
using test::sample_record;

namespace {

std::string line(std::string_view pattern, const record_view& r) {
  return format_one(make_text_formatter(pattern), r);
}

constexpr std::array<context_field, 2> sample_fields{{{"customer", "Ada L."}, {"items", "3"}}};
constexpr scope_context sample_scope{.name = "order 4711",
                                     .trace_id = "0af7651916cd43dd8448eb211c80319c",
                                     .span_id = "b7ad6b7169203331",
                                     .fields = sample_fields};

dump_envelope sample_envelope() {
  dump_envelope d;
  d.id = 17;
  d.scope.name = "order 4711";
  d.logger = "shop.order";
  d.thread_id = 123;
  d.start = test::sample_time();
  d.duration = 1'234'567ns;
  d.trigger = trigger::level;
  d.reason = "ERROR";
  d.records = 23;
  return d;
}

/// The envelope's first line.
std::string envelope_line(const dump_envelope& d) {
  const std::string text = format_one(make_text_formatter("{message}"), sample_record("m"), &d);
  return text.substr(0, text.find('\n'));
}

} // namespace

TEST_CASE("the default pattern's line") {
  CHECK(line(default_pattern, sample_record("reserve 3")) ==
        "2024-05-01T12:34:56.000789Z DEBUG    shop.order reserve 3\n");
  CHECK(line(default_pattern, sample_record("no stock", level::critical)) ==
        "2024-05-01T12:34:56.000789Z CRITICAL shop.order no stock\n");
}

TEST_CASE("each field's text") {
  record_view r = sample_record("text");
  r.scope = &sample_scope;
  r.dump_id = 17;
  r.exception_text = "std::runtime_error: no";
  CHECK(line("{time}", r) == "2024-05-01T12:34:56.000789Z | std::runtime_error: no\n");
  CHECK(line("{level}|{logger}|{thread}|{exception}", r) == "DEBUG|shop.order|123|std::runtime_error: no\n");
  CHECK(line("{process}{exception:.0}", r) == std::to_string(::getpid()) + "\n");
  CHECK(line("{file}|{path}|{line}|{function}{exception:.0}", r) ==
        "order.cpp|/src/shop/order.cpp|42|reserve\n");
  CHECK(line("{scope}|{trace_id}|{span_id}|{dump_id}{exception:.0}", r) ==
        "order 4711|0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331|17\n");
  CHECK(line("{fields}{exception:.0}", r) == "customer=\"Ada L.\" items=3\n");
  CHECK(line("{{{message}}}{exception:.0}", r) == "{text}\n");
}

TEST_CASE("fields that a record does not have are empty") {
  const record_view r = sample_record("m");
  CHECK(line("[{exception}{scope}{trace_id}{span_id}{fields}] {dump_id}", r) == "[] 0\n");
  CHECK(line("[{fields:>3}]", r) == "[   ]\n");
}

TEST_CASE("specifications pad, cut and convert") {
  const record_view r = sample_record("größe");
  CHECK(line("[{level:>8}][{level:<8}][{level:^9}][{level:.1}]", r) ==
        "[   DEBUG][DEBUG   ][  DEBUG  ][D]\n");
  CHECK(line("[{message:<8}][{message:>8}][{message:.3}]", r) == "[größe   ][   größe][grö]\n");
  CHECK(line("[{logger:12}][{logger:>12}][{logger:*^14}][{logger:3}]", r) ==
        "[shop.order  ][  shop.order][**shop.order**][shop.order]\n");
  CHECK(line("[{line:5}][{line:<5}][{line:05}][{line:#x}][{line:^6}]", r) ==
        "[   42][42   ][00042][0x2a][  42  ]\n");
  CHECK(line("[{time:%H:%M:%S.%f}] [{time:%d}]", r) == "[12:34:56.000789] [01]\n");
}

TEST_CASE("a time has the pattern's form where the message is known to be plain, too") {
  record_view r = sample_record("m");
  r.text_is_plain = true;
  CHECK(line("{time:%H:%M} {message}", r) == "12:34 m\n");
  CHECK(line("{time} {message}", r) == "2024-05-01T12:34:56.000789Z m\n");
}

TEST_CASE("the form of a time cannot pass for a line of the envelope either") {
  CHECK(line("{time:--- dump %S} {message}", sample_record("m")) == "\\x2d-- dump 56 m\n");
}

TEST_CASE("an inexact time is marked where it is shown in full") {
  record_view r = sample_record("m");
  r.time_is_exact = false;
  CHECK(line("{time} {message}", r) == "~2024-05-01T12:34:56.000789Z m\n");
  CHECK(line("{time:%S} {message}", r) == "56 m\n");
}

TEST_CASE("an exception follows the line unless the pattern places it") {
  record_view r = sample_record("call failed", level::error);
  r.exception_text = "std::runtime_error: no\nstock";
  CHECK(line("{message}", r) == "call failed | std::runtime_error: no\\nstock\n");
  CHECK(line("{exception}: {message}", r) == "std::runtime_error: no\\nstock: call failed\n");
}

TEST_CASE("a literal may be longer than any buffer, and so may a message") {
  for (const std::size_t size : {255UL, 256UL, 257UL, 4095UL, 4096UL, 4097UL, 100'000UL}) {
    const std::string text(size, 'x');
    const std::string bad = text + "\n";
    CHECK(line(text + "{message}", sample_record("m")) == text + "m\n");
    CHECK(line("{message}{level}", sample_record(text)) == text + "DEBUG\n");
    CHECK(line("{message}{level}", sample_record(bad)) == text + "\\nDEBUG\n");
  }
}

TEST_CASE("the lines of a large batch are those of its records") {
  const test::numbered_records records(5000);
  std::string out = "kept ";
  make_text_formatter("{message}")->format(records.all(), out);
  CHECK(out == "kept " + records.text());
}

TEST_CASE("hostile text in any field leaves one clean line") {
  std::mt19937 random(11);
  const formatter_ptr all =
      make_text_formatter("{logger} {file:>30} {path} {function:.20} {message} "
                          "{message:<40} {scope} {trace_id} {span_id} {fields} "
                          "{fields:^50} {exception:>8} {line:c}"); // line 10 as a character is a line end
  const formatter_ptr plain = make_text_formatter(default_pattern);
  for (int round = 0; round < 5000; ++round) {
    std::array<std::string, 9> hostile;
    for (std::string& text : hostile) {
      text.resize(random() % 300);
      for (char& c : text) c = static_cast<char>(random());
    }
    const site_facts site{
        .format = "", .file = hostile[0], .function = hostile[1], .argument_names = "", .line = 10};
    const context_field field{hostile[2], hostile[3]};
    const scope_context scope{hostile[4], hostile[5], hostile[6], {&field, 1}};
    record_view r = sample_record(hostile[7]);
    r.logger = hostile[8];
    r.site = &site;
    r.scope = &scope;
    r.exception_text = hostile[0];
    for (const formatter_ptr& f : {all, plain}) {
      std::string text = format_one(f, r);
      if (text.back() != '\n') FAIL("no line end");
      text.pop_back();
      if (!test::is_clean(text)) FAIL("not clean: " << text);
    }
  }
}

TEST_CASE("a dump has a line before and a line after it") {
  const dump_envelope d = sample_envelope();
  CHECK(format_one(make_text_formatter("{level} {message}"), sample_record("no stock", level::error), &d) ==
        "--- dump 17 scope=\"order 4711\" logger=shop.order thread=123 start=2024-05-01T12:34:56.000789Z "
        "duration=1.234ms trigger=level reason=ERROR records=23 forgotten=0 truncated=0\n"
        "ERROR no stock\n"
        "--- end of dump 17\n");
}

TEST_CASE("an envelope shows what is present and leaves out what is not") {
  dump_envelope d = sample_envelope();
  d.scope = sample_scope;
  d.trigger = trigger::budget;
  d.reason = {};
  d.duration = 12'000'000'999ns;
  d.forgotten = 5;
  d.truncated = 1;
  d.lost_contexts = 2;
  CHECK(envelope_line(d) ==
        "--- dump 17 scope=\"order 4711\" logger=shop.order thread=123 start=2024-05-01T12:34:56.000789Z "
        "duration=12000.000ms trigger=slow records=23 forgotten=5 truncated=1 lost_contexts=2 "
        "trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331 "
        "fields.customer=\"Ada L.\" fields.items=3");
}

TEST_CASE("the envelope can be turned off") {
  const dump_envelope d = sample_envelope();
  CHECK(format_one(make_text_formatter("{message}", {.envelope = false}), sample_record("m"), &d) == "m\n");
}

TEST_CASE("a scope's texts cannot forge a line or a key of the envelope") {
  dump_envelope d = sample_envelope();
  const context_field fields[] = {{"records", "0"}, {"a=b records", "0\" records=0"}};
  d.scope.name = "x\" records=0\n--- end of dump 17";
  d.scope.fields = fields;
  d.reason = "a\\\" forgotten=9";
  CHECK(envelope_line(d) ==
        "--- dump 17 scope=\"x\\\" records=0\\n--- end of dump 17\" logger=shop.order thread=123 "
        "start=2024-05-01T12:34:56.000789Z duration=1.234ms trigger=level reason=\"a\\\\\\\" forgotten=9\" "
        "records=23 forgotten=0 truncated=0 fields.records=0 fields.\"a=b records\"=\"0\\\" records=0\"");
}

TEST_CASE("a message cannot pass for a line of the envelope") {
  CHECK(line("{message}", sample_record("--- end of dump 17")) == "\\x2d-- end of dump 17\n");
  CHECK(line("{message}", sample_record("--- dump 18 records=0")) == "\\x2d-- dump 18 records=0\n");
  CHECK(line("-{message}", sample_record("-- dump 18")) == "\\x2d-- dump 18\n");
  CHECK(line("{level:.0}{message}", sample_record("--- dump 18")) == "\\x2d-- dump 18\n");
  CHECK(line("-{level:.0}{message}", sample_record("-- dump 18")) == "\\x2d-- dump 18\n");
  CHECK(line("{exception}{message}", sample_record("--- dump 18")) == "\\x2d-- dump 18\n");
  CHECK(line("{message}", sample_record("--- a rule ---")) == "--- a rule ---\n"); // nothing to take it for
  CHECK(line("{level} {message}", sample_record("--- dump 18")) == "DEBUG --- dump 18\n");
}

TEST_CASE("a record without a site or a scope has a line all the same") {
  record_view r = sample_record("text");
  r.site = nullptr;
  CHECK(line("{file}|{path}|{function}|{line}|{scope}|{fields}|{message}", r) == "|||0|||text\n");
  constexpr scope_context empty{};
  r.scope = &empty;
  CHECK(line("{fields}|{scope}|{message}", r) == "||text\n");
}

TEST_CASE("a field may stand in a pattern more than once") {
  record_view r = sample_record("text");
  r.text_is_plain = true;
  const std::string process = std::to_string(::getpid());
  CHECK(line("{process} {process}", r) == process + " " + process + "\n");
  CHECK(line("{message} {message}", r) == "text text\n");
  CHECK(line("{logger} {logger} {message}", r) == "shop.order shop.order text\n");
}

TEST_CASE("a message that is known to be plain is padded and cut as any other") {
  record_view r = sample_record("text");
  for (const bool plain : {false, true}) {
    r.text_is_plain = plain;
    CHECK(line("{message:>6}|{message:<}", r) == "  text|text\n");
    CHECK(line("{logger} {message:.2}", r) == "shop.order te\n");
    CHECK(line("{message} {thread}", r) == "text 123\n");
  }
}

TEST_CASE("lines of plain messages are whole with an exception, a hostile logger and beyond any buffer") {
  record_view r = sample_record("text");
  r.text_is_plain = true;
  r.exception_text = "no";
  CHECK(line("[{logger}] {message}", r) == "[shop.order] text | no\n");
  r.exception_text = {};
  r.logger = "a\nb";
  CHECK(line("[{logger}] {message}", r) == "[a\\nb] text\n");
  const std::string large(5000, 'x');
  r.logger = "shop";
  r.text = large;
  CHECK(line("[{logger}] {message}", r) == "[shop] " + large + "\n");
}

TEST_CASE("a batch may go from one logger to another, whatever their names have in common") {
  const std::string names = "shopping";
  std::vector<record_view> records(3, sample_record("m"));
  for (record_view& r : records) r.text_is_plain = true;
  records[0].logger = std::string_view(names).substr(0, 4);
  records[1].logger = names; // begins at the same place
  records[2].logger = std::string_view(names).substr(4);
  std::string out;
  make_text_formatter("[{logger}] {message}")->format(batch(records), out);
  CHECK(out == "[shop] m\n[shopping] m\n[ping] m\n");
}

TEST_CASE("a duration below zero is shown with its sign") {
  dump_envelope d = sample_envelope();
  d.duration = -1'500us;
  CHECK(envelope_line(d).find(" duration=-1.500ms ") != std::string::npos);
}
