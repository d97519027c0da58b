#include "journald/journal_entry.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <fmt/format.h>

#include <faultline/configuration_error.hpp>

#include "base/whole_characters.hpp"

namespace faultline::detail {
namespace {

constexpr std::size_t name_characters = 64;
constexpr std::size_t least_entry_bytes = 4096;
constexpr std::size_t most_entry_bytes = 64U << 20;
/// The most that one of faultline's own fields takes, so that they all have room in the least entry.
constexpr std::size_t own_value_bytes = 256;

std::size_t checked_size(std::size_t bytes) {
  if (bytes < least_entry_bytes || bytes > most_entry_bytes)
    throw configuration_error("max_entry_bytes", std::to_string(bytes), "4096 to 67108864");
  return bytes;
}

void append_own(std::string_view name, std::string_view value, std::string& out) {
  if (value.size() > own_value_bytes)
    append_journal_field(name, fmt::format("{}...", whole_characters(value, own_value_bytes - 3)), out);
  else if (!value.empty())
    append_journal_field(name, value, out);
}

void append_own(std::string_view name, std::uint64_t value, std::string& out) {
  append_journal_field(name, std::to_string(value), out);
}

void append_time(std::chrono::system_clock::time_point time, std::string& out) {
  using namespace std::chrono;
  append_journal_field("FAULTLINE_TIME", std::to_string(floor<microseconds>(time.time_since_epoch()).count()),
                       out);
}

bool is_own(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 8> names{"MESSAGE",   "PRIORITY",  "TID",       "ERRNO",
                                                  "CODE_FILE", "CODE_LINE", "CODE_FUNC", "MESSAGE_ID"};
  return name.starts_with("FAULTLINE_") || name.starts_with("SYSLOG_") ||
         std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

void append_journal_field(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  if (value.find('\n') == std::string_view::npos) {
    out += '=';
  } else {
    out += '\n';
    for (unsigned shift = 0; shift < 64; shift += 8)
      out += static_cast<char>(static_cast<unsigned char>(std::uint64_t{value.size()} >> shift));
  }
  out += value;
  out += '\n';
}

std::string journal_field_name(std::string_view key) {
  std::string name;
  for (const char c : key.substr(0, name_characters)) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    name += (upper >= 'A' && upper <= 'Z') || (upper >= '0' && upper <= '9') ? upper : '_';
  }
  const bool begins_well = !name.empty() && name.front() >= 'A' && name.front() <= 'Z';
  if (!begins_well || is_own(name)) name.insert(0, "FIELD_");
  name.resize(std::min(name.size(), name_characters));
  return name;
}

unsigned journal_priority(level l) noexcept {
  constexpr unsigned priorities[] = {7, 7, 6, 4, 3, 2};
  return priorities[std::min<std::size_t>(static_cast<std::size_t>(l), 5)];
}

journal_encoder::journal_encoder(const journald_options& options)
    : identifier_(options.identifier.empty() ? ::program_invocation_short_name : options.identifier),
      max_bytes_(checked_size(options.max_entry_bytes)) {
  const bool has_control =
      std::any_of(identifier_.begin(), identifier_.end(), [](char c) { return c >= 0 && c < ' '; });
  if (!options.identifier.empty() && (has_control || identifier_.size() > own_value_bytes))
    throw configuration_error("identifier", options.identifier, "up to 256 bytes without control characters");
}

void journal_encoder::begin(level l, std::string& out) const {
  out.reserve(1024);
  append_own("PRIORITY", std::uint64_t{journal_priority(l)}, out);
  append_own("SYSLOG_IDENTIFIER", identifier_, out);
}

/// The scope's own fields take at most half of an entry.
void journal_encoder::append_context(const scope_context& scope, std::string& out) const {
  append_own("FAULTLINE_SCOPE", scope.name, out);
  append_own("FAULTLINE_TRACE_ID", scope.trace_id, out);
  append_own("FAULTLINE_SPAN_ID", scope.span_id, out);
  std::uint64_t omitted = 0;
  for (const context_field& f : scope.fields) {
    const std::size_t most = name_characters + 10 + f.value.size();
    if (out.size() + most > max_bytes_ / 2)
      ++omitted;
    else
      append_journal_field(journal_field_name(f.key), f.value, out);
  }
  if (omitted != 0) append_own("FAULTLINE_OMITTED", omitted, out);
}

void journal_encoder::append_bounded_message(std::string_view body, std::string& out) const {
  constexpr std::size_t framing = 17; // "MESSAGE\n", the size and the line end
  const std::size_t room = max_bytes_ - std::min(max_bytes_, out.size() + framing);
  if (body.size() <= room) return append_journal_field("MESSAGE", body, out);
  constexpr std::size_t mark = 36; // "... (18446744073709551615 bytes cut)"
  const std::string_view kept = whole_characters(body, room - std::min(room, mark));
  append_journal_field("MESSAGE", fmt::format("{}... ({} bytes cut)", kept, body.size() - kept.size()), out);
}

std::string journal_encoder::encode(const record_view& r, std::string_view body) const {
  std::string out;
  begin(r.level, out);
  append_own("TID", std::uint64_t{r.thread_id}, out);
  append_own("FAULTLINE_THREAD_NAME", r.thread_name, out);
  append_own("CODE_FILE", r.site->file, out);
  if (r.site->line != 0) append_own("CODE_LINE", std::uint64_t{r.site->line}, out);
  append_own("CODE_FUNC", r.site->function, out);
  append_own("FAULTLINE_LOGGER", r.logger, out);
  append_time(r.time, out);
  if (!r.time_is_exact) append_own("FAULTLINE_TIME_IS_EXACT", "no", out);
  if (r.dump_id != 0) append_own("FAULTLINE_DUMP_ID", r.dump_id, out);
  append_own("FAULTLINE_EXCEPTION", r.exception(), out);
  if (r.scope != nullptr) append_context(*r.scope, out);
  append_bounded_message(body, out);
  return out;
}

std::string journal_encoder::encode(const dump_envelope& dump, level worst) const {
  std::string out;
  begin(worst, out);
  append_own("TID", std::uint64_t{dump.thread_id}, out);
  append_own("FAULTLINE_THREAD_NAME", dump.thread_name, out);
  append_own("FAULTLINE_LOGGER", dump.logger, out);
  append_time(dump.start, out);
  append_own("FAULTLINE_DUMP_ID", dump.id, out);
  append_own("FAULTLINE_TRIGGER", to_string(dump.trigger), out);
  append_own("FAULTLINE_REASON", dump.reason, out);
  append_own("FAULTLINE_RECORDS", std::uint64_t{dump.records}, out);
  append_own("FAULTLINE_FORGOTTEN", dump.forgotten, out);
  append_own("FAULTLINE_TRUNCATED", std::uint64_t{dump.truncated}, out);
  if (dump.lost_contexts != 0) append_own("FAULTLINE_LOST_CONTEXTS", dump.lost_contexts, out);
  append_own("FAULTLINE_DURATION_US", std::to_string(dump.duration.count() / 1000), out);
  append_context(dump.scope, out);
  std::string body = fmt::format("dump {}", dump.id);
  if (!dump.scope.name.empty()) body += fmt::format(" of {}", dump.scope.name);
  body += fmt::format(": {} records, {} forgotten, trigger {}", dump.records, dump.forgotten,
                      to_string(dump.trigger));
  if (!dump.reason.empty()) body += fmt::format(" ({})", dump.reason);
  append_bounded_message(body, out);
  return out;
}

} // namespace faultline::detail
