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

namespace faultline::scope_model {

/// The loggers of every program; a step names one by its place here. Some have ancestors that are not here.
inline constexpr std::array<std::string_view, 8> logger_names{"",          "a",   "a.b", "a.b.c",
                                                              "a.b.c.d.e", "a.f", "g",   "g.h.i"};
inline constexpr std::size_t most_handlers = 10; ///< two more than the targets that open scopes may have
inline constexpr std::size_t most_unwound = 8;   ///< scopes that one exception leaves

enum class verb : std::uint8_t {
  log,       ///< a record of `logger` at `at`, `number` bytes longer than needed; `flag`: level in the site
  begin,     ///< a scope on `logger`: target `handler`, flush level `at`, capacity `number`, `flag`: flush
  end,       ///< the scope `scope` ends well
  unwind,    ///< an exception leaves the innermost `number` scopes
  tell,      ///< an exception leaves the scope `scope`, as one of log_if_errors
  trip,      ///< the scope `scope` is told to write
  fail,      ///< the scope `scope` is told that the result is a failure
  set_level, ///< `logger` gets the level `at`
  inherit_level, ///< `logger` inherits its level
  propagate,     ///< `logger` propagates if `flag`; while no scope is open, otherwise nothing happens
  attach,        ///< `handler` is added to `logger`
  detach,        ///< `handler` is removed from `logger`
  handler_level, ///< `handler` gets the level `at`
  run_once,      ///< a round of the flusher
};

/// One step. Each is possible at any time, so that a program with steps left out is a program: `scope`
/// counts from the innermost object that was not destroyed, and one that is not there makes the step nothing.
///
/// Options of scopes that come later (pin_first, pass_through, exclusion predicates) are members
/// here, rules in reference.cpp, lines in player.cpp, and have their shares in generator.cpp.
struct step {
  verb what = verb::log;
  std::size_t logger = 0;
  std::size_t handler = 0;
  level at = level::debug;
  std::size_t scope = 0;
  std::size_t number = 0;
  bool flag = false;
  bool named = false; ///< the scope has a name
};

struct program {
  std::uint64_t seed = 0;
  /// Buffers and outbox hold all that the program can log: then what each handler receives is known. Else
  /// they are as small as they can be.
  bool roomy = true;
  bool storms = false; ///< a site may cause one dump a second
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
