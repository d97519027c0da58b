// Trace ids (W3C Trace Context): made, asked for, written and read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <faultline/export.hpp>

namespace faultline {

/// A trace and one span of it (https://www.w3.org/TR/trace-context/). Ids of zeros alone are not valid.
struct trace_context {
  std::array<std::uint8_t, 16> trace_id{}; ///< of all work that belongs together, on any thread and machine
  std::array<std::uint8_t, 8> span_id{};   ///< of one piece of it

  /// Another piece of the same work: the same trace, a new span id. Costs as `make_trace_context`.
  [[nodiscard]] FAULTLINE_API trace_context child() const noexcept;
  /// The value of a `traceparent` header: "00-<trace id>-<span id>-01", in lower-case hexadecimal digits,
  /// with the flag "sampled". Throws std::bad_alloc.
  [[nodiscard]] FAULTLINE_API std::string traceparent() const;

  /// Whether both ids are the same.
  friend bool operator==(const trace_context&, const trace_context&) = default;
};

/// A new trace with its first span: random numbers, never zeros alone, different ones in a forked child. No
/// lock, no allocation; a system call when the thread, or the child, asks first. Any thread, not a signal
/// handler. For telling work apart: do not take them for secrets.
[[nodiscard]] FAULTLINE_API trace_context make_trace_context() noexcept;

/// The trace of the calling thread's innermost open scope that has one; where scopes of several runtimes are
/// open, of the runtime that the thread used last first. Nothing where there is none, and in a signal handler
/// that interrupts faultline. No lock, no allocation, no system call.
[[nodiscard]] FAULTLINE_API std::optional<trace_context> current_trace() noexcept;

/// Reads the value of a `traceparent` header. Nothing when it is not a valid one. Its flags are not kept.
[[nodiscard]] FAULTLINE_API std::optional<trace_context> parse_traceparent(std::string_view header) noexcept;

} // namespace faultline
