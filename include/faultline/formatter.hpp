// From records to text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <faultline/export.hpp>
#include <faultline/record.hpp>

namespace faultline {

/// Turns a batch into bytes. One formatter may serve several handlers; only flusher threads and those of
/// background handlers call it, at the same time where there are several, and it keeps no state between
/// calls.
class FAULTLINE_API formatter {
 public:
  formatter() = default;
  formatter(const formatter&) = delete;
  formatter& operator=(const formatter&) = delete;
  virtual ~formatter() = default;

  /// Appends the whole batch, envelope included, to `out`. May throw: the flusher then counts the
  /// batch as lost for this handler and goes on.
  virtual void format(const batch& records, std::string& out) const = 0;
};

/// How formatters are passed about.
using formatter_ptr = std::shared_ptr<const formatter>;

/// What the text formatter adds to its pattern.
struct text_formatter_options {
  bool envelope = true; ///< a line before and a line after each dump that tell its facts
};

/// A formatter that writes one line for each record, by a pattern of text and fields in braces:
/// `{time}` `{level}` `{logger}` `{thread}` `{process}` `{file}` `{path}` `{line}` `{function}` `{message}`
/// `{exception}` `{scope}` `{trace_id}` `{span_id}` `{fields}` `{dump_id}` `{thread_name}`; `{{` and `}}`
/// stand for braces. A field takes fmt's specifications for a string (`{level:<8}`), `{line}`, `{process}`,
/// `{thread}` and
/// `{dump_id}` those for an integer, and `{time}` strftime's with `%f` for microseconds
/// (`{time:%H:%M:%S.%f}`); without one it is UTC in ISO 8601, with a `~` before it where the time is not
/// exact. Where the pattern has no `{exception}`, a record's exception follows its line's text. Control
/// characters and invalid UTF-8 in any field are escaped, so one record is one line. Throws
/// `configuration_error` for a wrong pattern, naming the place.
[[nodiscard]] FAULTLINE_API formatter_ptr make_text_formatter(std::string_view pattern,
                                                              text_formatter_options options = {});

/// Which groups of keys the JSON formatter writes.
struct json_formatter_options {
  bool envelope = true;  ///< an object of its own before each dump's records that tells its facts
  bool location = true;  ///< `file`, `line` and `function`
  bool context = true;   ///< `scope`, `trace_id`, `span_id` and `fields`
  bool thread = true;    ///< `thread` and `thread_name`
  bool arguments = true; ///< `args`
};

/// A formatter that writes one JSON object (RFC 8259) on a line of its own for each record, with the keys, in
/// this order: `time` (RFC 3339, UTC, nanoseconds), `time_exact` (only where it is false), `level`, `logger`,
/// `thread`, `thread_name`, `message`, `args`, `exception`, `file`, `line`, `function`, `scope`, `trace_id`,
/// `span_id`, `fields` (an object of strings), `dump`. A key whose value would be empty is left out;
/// `message` never is. `args` holds the arguments that have names of their own (faultline::kv), numbers and
/// bools as such and all else as strings. Before a dump's records comes an object with `"event":"dump"` and
/// `time` (the scope's start), `dump`, `logger`, `thread`, `thread_name`, `duration_ns`, `trigger`, `reason`,
/// `records`, `forgotten`, `truncated`, `lost_contexts` and the context's keys; nothing follows a dump, whose
/// end `records` tells. Any bytes become valid UTF-8 on one line: a byte of invalid UTF-8 is written as
/// `\u00XX`.
[[nodiscard]] FAULTLINE_API formatter_ptr make_json_formatter(json_formatter_options options = {});

/// The pattern of handlers that were given no formatter.
inline constexpr std::string_view default_pattern = "{time} {level:<8} {logger} {message}";

} // namespace faultline
