#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <faultline/formatter.hpp>
#include <nlohmann/json.hpp>

#include "format/json_text.hpp"
#include "format/message_plan.hpp"
#include "fuzz/check.hpp"
#include "fuzz/hostile_record.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"
#include "fuzz/written_arguments.hpp"

namespace faultline::fuzz {
namespace {

using nlohmann::json;

json parsed(const std::string& line) {
  check(test::is_clean(line), "JSON holds no control character and no invalid UTF-8");
  json value = json::parse(line, nullptr, false);
  check(!value.is_discarded(), "JSON parses: ", raw_bytes{line});
  return value;
}

void check_string(const json& object, const char* key, std::string_view text) {
  if (text.empty() && !object.contains(key)) return;
  check(object.contains(key) && object[key].is_string(), "a string is there: ", key);
  check_equal(object[key].get<std::string>(), reference_read_back(text), "a string reads back: ", key);
}

/// Named arguments of three kinds, made as the flusher makes them.
struct arguments {
  explicit arguments(input& in);
  void check_read_back(const json& record) const;

  std::int64_t number;
  double fraction;
  std::string text;
  std::vector<std::string> texts;
  std::vector<named_argument> named;
};

arguments::arguments(input& in)
    : number(in.number<std::int64_t>()), fraction(in.number<double>()), text(in.text()) {
  written_arguments written(detail::longest_argument);
  written.add(number);
  written.add(fraction);
  written.add(text);
  written.add(number > 0);
  std::array<detail::argument, detail::most_arguments> decoded;
  const int count = detail::decode(written.types(), written.bytes().data(), written.bytes().size(), decoded);
  constexpr std::array<std::string_view, 4> names{"number", "fraction", "text", "positive"};
  check(count == static_cast<int>(names.size()), "arguments are decoded");
  texts.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    fmt::memory_buffer value;
    detail::append_value(decoded[i], value);
    texts[i].assign(value.data(), value.size());
    named.push_back({names[i], texts[i], detail::kind_of(decoded[i])});
  }
}

void arguments::check_read_back(const json& record) const {
  check(record.contains("args"), "arguments are there");
  const json& args = record["args"];
  check(args["number"] == (expects_wrong ? number + 1 : number), "an integer reads back");
  check(args["positive"] == (number > 0), "a bool reads back");
  check_string(args, "text", text);
  if (std::isfinite(fraction))
    check(args["fraction"].is_number() && args["fraction"].get<double>() == fraction, "a double reads back");
  else
    check(args["fraction"].is_string(), "what is no number of JSON is a string");
}

void check_record(const json& record, const record_view& r, const json_formatter_options& options) {
  check_string(record, "message", r.text);
  check(record.contains("message"), "a message is never left out");
  check_string(record, "logger", r.logger);
  check_string(record, "exception", r.exception_text);
  check(record["time"].get<std::string>().size() == 30, "a time has nanoseconds");
  if (options.thread) check(record["thread"] == r.thread_id, "the thread reads back");
  if (options.location) check_string(record, "file", r.site->file);
  if (!options.context || r.scope == nullptr) return;
  check_string(record, "scope", r.scope->name);
  check_string(record, "trace_id", r.scope->trace_id);
  check(record.contains("fields") == !r.scope->fields.empty(), "fields are there where there are some");
}

} // namespace

int fuzz_json(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  json_formatter_options options;
  for (bool* option :
       {&options.envelope, &options.location, &options.context, &options.thread, &options.arguments})
    *option = !in.flag();
  const arguments args(in);
  const hostile_record hostile(in);
  record_view record = hostile.view();
  record.arguments = args.named;

  std::string out;
  make_json_formatter(options)->format(batch({&record, 1}, &hostile.dump()), out);
  if (options.envelope) {
    const std::size_t end = out.find('\n');
    check(end != std::string::npos, "an envelope is a line");
    const json dump = parsed(doctored(out.substr(0, end)));
    check(dump["event"] == "dump" && dump["forgotten"] == hostile.dump().forgotten &&
              dump["duration_ns"] == hostile.dump().duration.count(),
          "an envelope reads back");
    check_string(dump, "reason", hostile.dump().reason);
    out.erase(0, end + 1);
  }
  check(out.ends_with('\n'), "a record is a line");
  out.pop_back();
  const json read = parsed(doctored(out));
  check_record(read, record, options);
  if (options.arguments) args.check_read_back(read);
  return 0;
}

} // namespace faultline::fuzz
