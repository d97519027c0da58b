// From records to text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <faultline/record.hpp>

namespace faultline {

/// Turns a batch into bytes. One formatter may serve several handlers; only flusher threads call it, and
/// it keeps no state between calls.
class formatter {
 public:
  formatter() = default;
  formatter(const formatter&) = delete;
  formatter& operator=(const formatter&) = delete;
  virtual ~formatter() = default;

  /// Appends the whole batch, envelope included, to `out`. May throw: the flusher then counts the
  /// batch as lost for this handler and goes on.
  virtual void format(const batch& records, std::string& out) const = 0;
};

using formatter_ptr = std::shared_ptr<const formatter>;

/// What the text formatter adds to its pattern.
struct text_formatter_options {
  bool envelope = true; ///< a line before and a line after each dump that tell its facts
};

/// A formatter that writes one line for each record, by a pattern of text and fields in braces:
/// `{time}` `{level}` `{logger}` `{thread}` `{process}` `{file}` `{path}` `{line}` `{function}` `{message}`
/// `{exception}` `{scope}` `{trace_id}` `{span_id}` `{fields}` `{dump_id}`; `{{` and `}}` stand for braces.
/// A field takes fmt's specifications for a string (`{level:<8}`), `{line}`, `{process}`, `{thread}` and
/// `{dump_id}` those for an integer, and `{time}` strftime's with `%f` for microseconds
/// (`{time:%H:%M:%S.%f}`); without one it is UTC in ISO 8601, with a `~` before it where the time is not
/// exact. Where the pattern has no `{exception}`, a record's exception follows its line's text. Control
/// characters and invalid UTF-8 in any field are escaped, so one record is one line. Throws
/// `configuration_error` for a wrong pattern, naming the place.
[[nodiscard]] formatter_ptr make_text_formatter(std::string_view pattern,
                                                text_formatter_options options = {});

/// The pattern of handlers that were given no formatter.
inline constexpr std::string_view default_pattern = "{time} {level:<8} {logger} {message}";

} // namespace faultline
