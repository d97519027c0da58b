// A program of scopes: what a test does on one thread with loggers, handlers and scopes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/level.hpp>
#include <faultline/runtime.hpp>
#include <faultline/scope.hpp>

namespace faultline::scope_model {

/// The loggers of every program; a step names one by its place here. Some have ancestors that are not here.
inline constexpr std::array<std::string_view, 8> logger_names{"",          "a",   "a.b", "a.b.c",
                                                              "a.b.c.d.e", "a.f", "g",   "g.h.i"};
inline constexpr std::size_t most_handlers = 10; ///< two more than the targets that open scopes may have
inline constexpr std::size_t most_unwound = 8;   ///< scopes that one exception leaves

enum class verb : std::uint8_t {
  log,       ///< a record of `logger` at `at`, `number` bytes longer than needed; `flag`: level in the site
  begin,     ///< a scope on `logger`: target `handler`, flush level `at`, capacity `number`, `flag`: flush;
             ///< the rest of its options are those of the step
  end,       ///< the scope `scope` ends well
  unwind,    ///< an exception leaves the innermost `number` scopes
  tell,      ///< an exception leaves the scope `scope`, as one of log_if_errors; `flag`: of an expected type
  trip,      ///< the scope `scope` is told to write
  fail,      ///< the scope `scope` is told that the result is a failure
  set_level, ///< `logger` gets the level `at`
  inherit_level, ///< `logger` inherits its level
  propagate,     ///< `logger` propagates if `flag`; while no scope is open, nor records are held outside
                 ///< scopes; otherwise nothing happens
  attach,        ///< `handler` is added to `logger`
  detach,        ///< `handler` is removed from `logger`
  handler_level, ///< `handler` gets the level `at`
  run_once,      ///< a round of the flusher
  pass_time,     ///< `number` milliseconds pass
};

/// Predicates for scope_options::expects.
enum class expected_errors : std::uint8_t {
  none, ///< no predicate
  all,
  below_critical,
  of_a_b,         ///< of the logger "a.b" and its descendants
  escaping,       ///< exceptions that leave a scope
  runtime_errors, ///< of these, those that are known to be a std::runtime_error
  call_failed,    ///< by the statement's format
  count
};
[[nodiscard]] faultline::expectation predicate_of(expected_errors which);

/// One step. Each is possible at any time, so that a program with steps left out is a program: `scope`
/// counts from the innermost object that was not destroyed, and one that is not there makes the step nothing.
///
/// An option of scopes is a member here, a rule in reference.cpp, a line in player.cpp, and has its share in
/// generator.cpp.
struct step {
  verb what = verb::log;
  std::size_t logger = 0;
  std::size_t handler = 0;
  level at = level::debug;
  std::size_t scope = 0;
  std::size_t number = 0;
  bool flag = false;
  bool named = false; ///< the scope has a name
  std::size_t pin_first = 0;
  bool passes_through = false;
  expected_errors expects = expected_errors::none;
  /// 0: none; else half a millisecond more, so that no two clocks can differ about what takes longer.
  std::size_t budget_ms = 0;

  friend bool operator==(const step&, const step&) = default;
};

struct program {
  std::uint64_t seed = 0;
  /// Buffers and outbox hold all that the program can log: then what each handler receives is known. Else
  /// they are as small as they can be.
  bool roomy = true;
  bool storms = false;        ///< a site may cause one dump a second
  bool holds_outside = false; ///< runtime_options::hold_outside_scopes
  clock_kind clock = clock_kind::tsc;
  std::vector<step> steps;
};

/// The message of the statement of that number (from 1), `longer` bytes longer than needed.
[[nodiscard]] std::string message_of(std::size_t number, std::size_t longer);
/// The name of the scope of that number (from 1); every seventh is longer than a name may be.
[[nodiscard]] std::string name_of_scope(std::size_t number);
/// The reason for the trip of that number (from 1); every fifth is longer than a reason may be.
[[nodiscard]] std::string reason_of(std::size_t number);

/// The program as short text like C++.
[[nodiscard]] std::string text_of(const program& p);

} // namespace faultline::scope_model
