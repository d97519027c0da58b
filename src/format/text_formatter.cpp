#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

#include <faultline/formatter.hpp>

#include "format/envelope.hpp"
#include "format/escape.hpp"
#include "format/line_writer.hpp"
#include "format/pattern.hpp"
#include "format/timestamp.hpp"

namespace faultline {
namespace detail {
namespace {

/// What one call of `format` remembers between its records.
struct call_state {
  iso_time time;
  time_format::cache specified_time;
  std::string_view plain_logger; ///< the latest logger's name, when it needs no escaping
  pid_t process = 0;             ///< read at its first use in a call, so that a forked child shows its own
};

std::string_view base_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

constexpr site_facts unknown_site{};
constexpr scope_context no_scope{};

/// The unescaped text of the rarer fields that are text in the record already.
std::string_view text_of(field kind, const record_view& r) noexcept {
  const site_facts& site = r.site != nullptr ? *r.site : unknown_site;
  const scope_context& scope = r.scope != nullptr ? *r.scope : no_scope;
  switch (kind) {
  case field::file: return base_name(site.file);
  case field::path: return site.file;
  case field::function: return site.function;
  case field::exception: return r.exception();
  case field::scope: return scope.name;
  case field::trace_id: return scope.trace_id;
  case field::span_id: return scope.span_id;
  default: return r.thread_name;
  }
}

std::uint64_t number_of(field kind, const record_view& r, call_state& state) noexcept {
  switch (kind) {
  case field::thread: return r.thread_id;
  case field::line: return r.site != nullptr ? r.site->line : 0;
  case field::dump_id: return r.dump_id;
  default: break;
  }
  if (state.process == 0) state.process = ::getpid();
  return static_cast<std::uint64_t>(state.process);
}

/// Appends ASCII text in a column.
void append_padded(const pattern_piece& p, std::string_view text, line_writer& line) {
  const std::size_t gap = text.size() < p.width ? p.width - text.size() : 0;
  if (p.padding == '>') line.append_repeated(' ', gap);
  line.append(text);
  if (p.padding == '<') line.append_repeated(' ', gap);
}

void append_number(const pattern_piece& p, std::uint64_t value, line_writer& line) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  if (!p.has_specification()) return line.append(text);
  if (p.padding != 0) return append_padded(p, text, line);
  fmt::memory_buffer formatted;
  fmt::vformat_to(std::back_inserter(formatted), p.text, fmt::make_format_args(value));
  line.append_escaped({formatted.data(), formatted.size()}); // the type 'c' prints any byte
}

void append_specified(const pattern_piece& p, std::string_view text, line_writer& line) {
  if (p.padding != 0 && is_plain_ascii(text)) return append_padded(p, text, line);
  // Escaped before fmt counts its columns, and after it for what a specification may do to it.
  std::string escaped;
  append_escaped(text, escaped);
  fmt::memory_buffer formatted;
  const std::string_view view = escaped;
  fmt::vformat_to(std::back_inserter(formatted), p.text, fmt::make_format_args(view));
  line.append_escaped({formatted.data(), formatted.size()});
}

void append_text(const pattern_piece& p, std::string_view text, line_writer& line) {
  if (!p.has_specification())
    line.append_escaped(text);
  else
    append_specified(p, text, line);
}

void append_message(const pattern_piece& p, const record_view& r, line_writer& line) {
  if (r.text_is_plain && !p.has_specification())
    line.append(r.text);
  else
    append_text(p, r.text, line);
}

void append_context_fields(const pattern_piece& p, const record_view& r, line_writer& line) {
  if (r.scope == nullptr || r.scope->fields.empty()) return append_text(p, {}, line);
  if (!p.has_specification()) return append_fields(r.scope->fields, line.spill());
  std::string list;
  append_fields(r.scope->fields, list);
  append_text(p, list, line);
}

void append_time(const pattern_piece& p, const record_view& r, call_state& state, line_writer& line) {
  if (p.time) return line.append_escaped(p.time->text(r.time, state.specified_time));
  if (!r.time_is_exact) line.append('~');
  line.append(state.time.text(r.time));
}

/// False where no line of the pattern can begin like an envelope, whatever its fields hold.
bool can_begin_like_envelope(const pattern& p) noexcept {
  const pattern_piece& first = p.pieces().front();
  if (first.kind == field::literal) return first.text.front() == '-';
  if (first.kind == field::level) return first.levels.front().empty() || first.levels.front().front() == '-';
  return first.has_specification() || !(first.kind == field::time || is_integer(first.kind));
}

/// For patterns of literals, levels, times, and at most one logger and message, as they are: how many bytes
/// of a line are not the logger's nor the message's, at most. 0 for other patterns.
std::size_t quick_bytes(const pattern& p) noexcept {
  std::size_t most = 1 + fixed_text::margin; // the end of the line
  int loggers = 0;
  int messages = 0;
  for (const pattern_piece& piece : p.pieces()) {
    switch (piece.kind) {
    case field::literal:
    case field::level:
      most += std::max_element(piece.ready.begin(), piece.ready.end(), [](const auto& a, const auto& b) {
                return a.size() < b.size();
              })->size();
      break;
    case field::time: most += 1 + iso_time::bytes; break;
    case field::logger: ++loggers; break;
    case field::message: ++messages; break;
    default: return 0;
    }
    const bool made_beforehand = piece.kind == field::literal || piece.kind == field::level;
    if (!made_beforehand && piece.has_specification()) return 0;
  }
  return loggers > 1 || messages > 1 ? 0 : most;
}

class text_formatter final : public formatter {
 public:
  text_formatter(std::string_view text, text_formatter_options options)
      : pattern_(text), quick_bytes_(quick_bytes(pattern_)), envelope_(options.envelope),
        appends_exception_(!pattern_.has(field::exception)),
        guards_lines_(options.envelope && can_begin_like_envelope(pattern_)) {}

  void format(const batch& records, std::string& out) const override;

 private:
  bool append_quickly(const record_view& r, call_state& state, line_writer& line) const;
  void append_line(const record_view& r, call_state& state, line_writer& line) const;
  void append_guarded_line(const record_view& r, call_state& state, line_writer& line) const;

  pattern pattern_;
  std::size_t
      quick_bytes_; ///< what the pattern itself writes at most, 0 where `append_quickly` does not serve
  bool envelope_;
  bool appends_exception_;
  bool guards_lines_;
};

void text_formatter::format(const batch& records, std::string& out) const {
  const dump_envelope* const dump = envelope_ ? records.envelope() : nullptr;
  if (dump != nullptr) append_dump_begin(*dump, out);
  call_state state;
  line_writer line(out);
  for (const record_view& r : records) {
    if (guards_lines_)
      append_guarded_line(r, state, line);
    else if (!append_quickly(r, state, line))
      append_line(r, state, line);
  }
  line.spill();
  if (dump != nullptr) append_dump_end(*dump, out);
}

/// Most lines: assembled without looking at what room is left, from text that needs no escaping. False, and
/// nothing is done, for the others.
bool text_formatter::append_quickly(const record_view& r, call_state& state, line_writer& line) const {
  if (quick_bytes_ == 0 || !r.text_is_plain || !r.exception().empty()) return false;
  if (r.logger.data() != state.plain_logger.data() || r.logger.size() != state.plain_logger.size()) {
    if (!is_plain_ascii(r.logger)) return false;
    state.plain_logger = r.logger;
  }
  char* at = line.begin_line(quick_bytes_ + r.logger.size() + r.text.size());
  if (at == nullptr) return false;
  for (const pattern_piece& p : pattern_.pieces()) {
    switch (p.kind) {
    case field::literal: at = p.ready.front().write(at); break;
    case field::level: at = p.ready[static_cast<std::size_t>(std::min(r.level, level::off))].write(at); break;
    case field::logger: at = line_writer::write(at, r.logger); break;
    case field::message: at = line_writer::write(at, r.text); break;
    default: // the time
      if (!r.time_is_exact) *at++ = '~';
      at = line_writer::write(at, state.time.text(r.time));
    }
  }
  *at++ = '\n';
  line.end_line(at);
  return true;
}

void text_formatter::append_line(const record_view& r, call_state& state, line_writer& line) const {
  for (const pattern_piece& p : pattern_.pieces()) {
    switch (p.kind) {
    case field::literal: line.append(p.ready.front()); break;
    case field::time: append_time(p, r, state, line); break;
    case field::level: line.append(p.ready[static_cast<std::size_t>(std::min(r.level, level::off))]); break;
    case field::message: append_message(p, r, line); break;
    case field::logger: append_text(p, r.logger, line); break;
    case field::thread:
    case field::process:
    case field::line:
    case field::dump_id: append_number(p, number_of(p.kind, r, state), line); break;
    case field::fields: append_context_fields(p, r, line); break;
    default: append_text(p, text_of(p.kind, r), line); break;
    }
  }
  if (appends_exception_ && !r.exception().empty()) {
    line.append(" | ");
    line.append_escaped(r.exception());
  }
  line.append('\n');
}

/// A message may be written as if it were the end of its dump. Where the pattern puts nothing before it, the
/// first dash of such a line is escaped.
void text_formatter::append_guarded_line(const record_view& r, call_state& state, line_writer& line) const {
  std::string& out = line.spill();
  const std::size_t begin = out.size();
  append_line(r, state, line);
  line.spill();
  if (looks_like_envelope(std::string_view(out).substr(begin))) out.replace(begin, 1, "\\x2d");
}

} // namespace
} // namespace detail

formatter_ptr make_text_formatter(std::string_view pattern, text_formatter_options options) {
  return std::make_shared<detail::text_formatter>(pattern, options);
}

} // namespace faultline
