// What a handler sees of a record and of a dump: views, valid for the duration of one `handler::write`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <faultline/level.hpp>

namespace faultline {

/// The static facts of one logging statement.
struct site_facts {
  std::string_view format;         ///< the format string as written in the source
  std::string_view file;           ///< `__FILE__` of the statement
  std::string_view function;       ///< `__func__` of the statement
  std::string_view argument_names; ///< the arguments' source text, separated by commas
  std::uint32_t line = 0;          ///< `__LINE__` of the statement
};

/// One key/value pair that a scope carries.
struct context_field {
  std::string_view key;   ///< as given to error_scope::field
  std::string_view value; ///< formatted with "{}"
};

/// What a scope says about the work it covers; all members are empty where nothing was set.
struct scope_context {
  std::string_view name;                 ///< cut at 63 bytes
  std::string_view trace_id;             ///< 32 lower-case hexadecimal digits (W3C Trace Context), or empty
  std::string_view span_id;              ///< 16 lower-case hexadecimal digits, or empty
  std::span<const context_field> fields; ///< in the order they were added
};

/// What an argument's value is, for formatters that tell kinds apart.
enum class argument_kind : std::uint8_t {
  text,    ///< all that is none of the others, also numbers that are not finite
  number,  ///< an integer, an enumerator or a finite floating-point number, in the digits of JSON
  boolean, ///< "true" or "false"
};

/// An argument that brought a name along (faultline::kv).
struct named_argument {
  std::string_view name; ///< the name, as written in the program
  std::string_view text; ///< formatted with "{}"; as in the message where it was formatted at the call
  argument_kind kind = argument_kind::text; ///< what `text` is
};

/// One record on its way to a handler. The members are views into memory that the flusher owns: copy
/// what must outlive the call that received them.
struct record_view {
  faultline::level level = faultline::level::debug; ///< never `off`
  std::string_view logger;                          ///< dotted name, "root" for the root logger
  std::chrono::system_clock::time_point time;       ///< when it was made
  bool time_is_exact =
      true; ///< false where the clock kind gave the record an earlier reading (see clock_kind)
  std::uint32_t thread_id = 0;          ///< the kernel's id of the thread that logged (gettid)
  const site_facts* site = nullptr;     ///< never null in a batch
  const scope_context* scope = nullptr; ///< null where no scope was open
  std::uint64_t dump_id = 0;            ///< the dump the record came in, 0 on the pass path
  std::string_view text;                ///< what `message()` returns
  bool text_is_plain = false; ///< the message is printable ASCII and needs no escaping; false: look at it
  std::string_view exception_text;           ///< what `exception()` returns
  std::span<const named_argument> arguments; ///< those with names of their own, in the statement's order
  /// The thread's name when the record was handed over or passed (runtime::attach_thread), or empty.
  std::string_view thread_name;

  /// The formatted message, unescaped: it may hold any bytes. Cost: none, it is formatted already.
  [[nodiscard]] std::string_view message() const noexcept { return text; }

  /// For a record of an escaped exception: its type, what() and nested exceptions in one line,
  /// "std::runtime_error: no stock; caused by std::out_of_range: 7". Empty for any other record.
  [[nodiscard]] std::string_view exception() const noexcept { return exception_text; }
};

/// What made a scope write.
enum class trigger : std::uint8_t {
  level,     ///< a record at the scope's flush level or above
  exception, ///< an exception escaped; the record `call failed` tripped the scope
  call,      ///< error_scope::trip(reason)
  budget,    ///< the scope took longer than its time budget ("slow")
  result,    ///< the predicate on the wrapped function's result
  full, ///< the held records reached the capacity of a scope with full_policy::flush; or the outbox was full,
        ///< and an error that a scope would have had written at once comes in a dump
  sample, ///< not used any more: a sample is a call, see docs/recipes/sample.md
};

/// The trigger's name in lower case.
[[nodiscard]] constexpr std::string_view to_string(trigger t) noexcept {
  constexpr std::string_view names[] = {"level", "exception", "call", "slow", "result", "full", "sample"};
  return names[static_cast<unsigned>(t) < 7 ? static_cast<unsigned>(t) : 0];
}

/// The facts of one dump: a block of records that one failure wrote to one handler.
struct dump_envelope {
  std::uint64_t id = 0;                                   ///< counts from 1 in each runtime; never reused
  scope_context scope;                                    ///< of the work that failed
  std::string_view logger;                                ///< the scope's logger
  std::uint32_t thread_id = 0;                            ///< the kernel's id of the scope's thread
  std::chrono::system_clock::time_point start;            ///< when the scope was entered
  std::chrono::nanoseconds duration{};                    ///< from the scope's start to its trip
  faultline::trigger trigger = faultline::trigger::level; ///< what made the scope write
  std::string_view reason;     ///< the text given to trip(), or the level's name, or empty
  std::size_t records = 0;     ///< how many records this dump holds
  std::uint64_t forgotten = 0; ///< records of the scope that a bound made it forget before the trip
  std::size_t truncated = 0;   ///< records of this dump whose arguments were cut to a bound
  std::uint64_t lost_contexts =
      0; ///< earlier failures of this thread whose held records could not be handed over
  std::string_view thread_name; ///< of the scope's thread, or empty
};

/// What one `handler::write` receives: records in the order they were logged and, for a dump, its envelope.
class batch {
 public:
  /// For the flusher, and for tests of handlers. Refers to both.
  explicit batch(std::span<const record_view> records, const dump_envelope* envelope = nullptr) noexcept
      : records_(records), envelope_(envelope) {}

  /// The first record.
  [[nodiscard]] auto begin() const noexcept { return records_.begin(); }
  /// Past the last record.
  [[nodiscard]] auto end() const noexcept { return records_.end(); }
  /// How many records there are.
  [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
  /// Whether there is none, as in a dump whose records a filter refused.
  [[nodiscard]] bool empty() const noexcept { return records_.empty(); }
  /// The records in the order they were logged.
  [[nodiscard]] std::span<const record_view> records() const noexcept { return records_; }

  /// The dump's facts, or null for records of the pass path.
  [[nodiscard]] const dump_envelope* envelope() const noexcept { return envelope_; }

 private:
  std::span<const record_view> records_;
  const dump_envelope* envelope_;
};

} // namespace faultline
