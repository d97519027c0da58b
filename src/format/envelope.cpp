#include "format/envelope.hpp"

#include <charconv>
#include <cstdint>

#include "format/escape.hpp"
#include "format/timestamp.hpp"

namespace faultline::detail {
namespace {

constexpr std::string_view begin_mark = "--- dump ";
constexpr std::string_view end_mark = "--- end of dump ";

void append_number(std::uint64_t value, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_count(std::string_view key, std::uint64_t value, std::string& out) {
  out += key;
  append_number(value, out);
}

/// Appends `key` (with its space before and equals sign) and the value, where there is one.
void append_text(std::string_view key, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += key;
  append_value(value, out);
}

/// Milliseconds with three places, rounded down.
void append_duration(std::chrono::nanoseconds duration, std::string& out) {
  std::int64_t microseconds = duration.count() / 1000;
  if (microseconds < 0) {
    out += '-';
    microseconds = -microseconds;
  }
  append_number(static_cast<std::uint64_t>(microseconds / 1000), out);
  const auto rest = static_cast<unsigned>(microseconds % 1000);
  const char places[] = {'.',
                         static_cast<char>('0' + rest / 100),
                         static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10),
                         'm',
                         's'};
  out.append(places, sizeof places);
}

} // namespace

void append_dump_begin(const dump_envelope& dump, std::string& out) {
  iso_time time;
  append_count(begin_mark, dump.id, out);
  append_text(" scope=", dump.scope.name, out);
  append_text(" logger=", dump.logger, out);
  append_count(" thread=", dump.thread_id, out);
  out += " start=";
  out += time.text(dump.start);
  out += " duration=";
  append_duration(dump.duration, out);
  append_text(" trigger=", to_string(dump.trigger), out);
  append_text(" reason=", dump.reason, out);
  append_count(" records=", dump.records, out);
  append_count(" forgotten=", dump.forgotten, out);
  append_count(" truncated=", dump.truncated, out);
  if (dump.lost_contexts != 0) append_count(" lost_contexts=", dump.lost_contexts, out);
  append_text(" trace_id=", dump.scope.trace_id, out);
  append_text(" span_id=", dump.scope.span_id, out);
  for (const context_field& f : dump.scope.fields) {
    out += " fields."; // a name space of their own: a field named "records" must not pass for the count
    append_value(f.key, out);
    out += '=';
    append_value(f.value, out);
  }
  out += '\n';
}

void append_dump_end(const dump_envelope& dump, std::string& out) {
  append_count(end_mark, dump.id, out);
  out += '\n';
}

bool looks_like_envelope(std::string_view line) noexcept {
  return line.starts_with(begin_mark) || line.starts_with(end_mark);
}

void append_fields(std::span<const context_field> fields, std::string& out) {
  bool first = true;
  for (const context_field& f : fields) {
    if (!first) out += ' ';
    first = false;
    append_value(f.key, out);
    out += '=';
    append_value(f.value, out);
  }
}

} // namespace faultline::detail
