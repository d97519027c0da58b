#include <charconv>
#include <chrono>
#include <cstdint>

#include <faultline/formatter.hpp>

#include "format/json_text.hpp"
#include "format/line_writer.hpp"
#include "format/timestamp.hpp"

namespace faultline {
namespace detail {
namespace {

void append_string(std::string_view text, line_writer& line) {
  if (plain_json_prefix(text) != text.size()) return append_json_string(text, line.spill());
  line.append('"');
  line.append(text);
  line.append('"');
}

/// `prefix` holds the comma, the quoted key and the colon: one copy.
void append_member(std::string_view prefix, std::string_view value, line_writer& line) {
  if (value.empty()) return;
  line.append(prefix);
  append_string(value, line);
}

template <class Integer> void append_number(std::string_view prefix, Integer value, line_writer& line) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  line.append(prefix);
  line.append(std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

void append_time(wall_time t, iso_time& time, line_writer& line) {
  using namespace std::chrono;
  line.append(R"("time":")");
  const std::string_view text = time.text(t);
  line.append(text.substr(0, text.size() - 1)); // without the Z
  const auto since = duration_cast<nanoseconds>(t.time_since_epoch());
  const auto rest = static_cast<unsigned>((since - floor<microseconds>(since)).count());
  const char end[] = {static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                      static_cast<char>('0' + rest % 10), 'Z', '"'};
  line.append(std::string_view(end, sizeof end));
}

void append_context(const scope_context& scope, line_writer& line) {
  append_member(R"(,"scope":)", scope.name, line);
  append_member(R"(,"trace_id":)", scope.trace_id, line);
  append_member(R"(,"span_id":)", scope.span_id, line);
  if (scope.fields.empty()) return;
  std::string_view before = R"(,"fields":{)";
  for (const context_field& f : scope.fields) {
    line.append(before);
    append_string(f.key, line);
    line.append(':');
    append_string(f.value, line);
    before = ",";
  }
  line.append('}');
}

void append_arguments(std::span<const named_argument> arguments, line_writer& line) {
  std::string_view before = R"(,"args":{)";
  for (const named_argument& a : arguments) {
    line.append(before);
    append_string(a.name, line);
    line.append(':');
    if (a.kind == argument_kind::text)
      append_string(a.text, line);
    else
      line.append(a.text);
    before = ",";
  }
  line.append('}');
}

void append_thread(std::uint32_t id, std::string_view name, line_writer& line) {
  append_number(R"(,"thread":)", id, line);
  append_member(R"(,"thread_name":)", name, line);
}

class json_formatter final : public formatter {
 public:
  explicit json_formatter(json_formatter_options options) : options_(options) {}

  void format(const batch& records, std::string& out) const override;

 private:
  void append_record(const record_view& r, iso_time& time, line_writer& line) const;
  void append_dump(const dump_envelope& d, iso_time& time, line_writer& line) const;

  json_formatter_options options_;
};

void json_formatter::format(const batch& records, std::string& out) const {
  iso_time time;
  line_writer line(out);
  if (options_.envelope && records.envelope() != nullptr) append_dump(*records.envelope(), time, line);
  for (const record_view& r : records) append_record(r, time, line);
  line.spill();
}

void json_formatter::append_record(const record_view& r, iso_time& time, line_writer& line) const {
  line.append('{');
  append_time(r.time, time, line);
  if (!r.time_is_exact) line.append(R"(,"time_exact":false)");
  line.append(R"(,"level":")");
  line.append(to_string(r.level));
  line.append('"');
  append_member(R"(,"logger":)", r.logger, line);
  if (options_.thread) append_thread(r.thread_id, r.thread_name, line);
  line.append(R"(,"message":)");
  append_string(r.message(), line);
  if (options_.arguments && !r.arguments.empty()) append_arguments(r.arguments, line);
  append_member(R"(,"exception":)", r.exception(), line);
  if (options_.location && r.site != nullptr) {
    append_member(R"(,"file":)", r.site->file, line);
    append_number(R"(,"line":)", r.site->line, line);
    append_member(R"(,"function":)", r.site->function, line);
  }
  if (options_.context && r.scope != nullptr) append_context(*r.scope, line);
  if (r.dump_id != 0) append_number(R"(,"dump":)", r.dump_id, line);
  line.append("}\n");
}

void json_formatter::append_dump(const dump_envelope& d, iso_time& time, line_writer& line) const {
  line.append(R"({"event":"dump",)");
  append_time(d.start, time, line);
  append_number(R"(,"dump":)", d.id, line);
  append_member(R"(,"logger":)", d.logger, line);
  if (options_.thread) append_thread(d.thread_id, d.thread_name, line);
  append_number(R"(,"duration_ns":)", static_cast<std::int64_t>(d.duration.count()), line);
  append_member(R"(,"trigger":)", to_string(d.trigger), line);
  append_member(R"(,"reason":)", d.reason, line);
  append_number(R"(,"records":)", d.records, line);
  append_number(R"(,"forgotten":)", d.forgotten, line);
  append_number(R"(,"truncated":)", d.truncated, line);
  append_number(R"(,"lost_contexts":)", d.lost_contexts, line);
  if (options_.context) append_context(d.scope, line);
  line.append("}\n");
}

} // namespace
} // namespace detail

formatter_ptr make_json_formatter(json_formatter_options options) {
  return std::make_shared<detail::json_formatter>(options);
}

} // namespace faultline
