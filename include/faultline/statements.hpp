// Statements of which not every occurrence is a record, and the statement of a catch block.
#pragma once

#include <faultline/detail/choice.hpp>
#include <faultline/detail/story.hpp>
#include <faultline/log.hpp>

// All of them: `lg` a logger, `l` a level, an expression. The logger, the level and what the choice is made
// by are evaluated once and in this order: the logger's threshold first, and what it turns away is neither
// chosen from nor counted; then the choice; then the arguments, if there is a record. Levels below
// FAULTLINE_ACTIVE_LEVEL make no record, and cost nothing where the level is a constant.
//
// What they count, they count for each place in the program (in a template or an inline function for each
// instantiation), over all threads, loggers and runtimes. As every statement they never block, allocate,
// lock, make a system call or throw; a count is one atomic addition. The exceptions: FAULTLINE_EXCEPTION, and
// FAULTLINE_LOG_EVERY without an invariant time stamp counter, which reads CLOCK_MONOTONIC.

/// A record if `condition` holds: FAULTLINE_LOG_IF(lg, faultline::level::info, n > 10, "large: {}", n);
#define FAULTLINE_LOG_IF(lg, l, condition, ...)                                                              \
  FAULTLINE_DETAIL_CHOSEN((lg), (l), FAULTLINE_DETAIL_IF, (condition), FAULTLINE_DETAIL_WRITE_CHOSEN,        \
                          __VA_ARGS__)

/// The first occurrence and each `n`-th after it; each one where n is below 2.
#define FAULTLINE_LOG_EVERY_N(lg, l, n, ...)                                                                 \
  FAULTLINE_DETAIL_CHOSEN((lg), (l), FAULTLINE_DETAIL_EVERY_N, (n), FAULTLINE_DETAIL_WRITE_CHOSEN,           \
                          __VA_ARGS__)

/// The first `n` occurrences; none where n is not positive.
#define FAULTLINE_LOG_FIRST_N(lg, l, n, ...)                                                                 \
  FAULTLINE_DETAIL_CHOSEN((lg), (l), FAULTLINE_DETAIL_FIRST_N, (n), FAULTLINE_DETAIL_WRITE_CHOSEN,           \
                          __VA_ARGS__)

/// The first occurrence.
#define FAULTLINE_LOG_ONCE(lg, l, ...) FAULTLINE_LOG_FIRST_N((lg), (l), 1, __VA_ARGS__)

/// At most one record in `interval`, a std::chrono duration; not positive: each one. The record's message
/// ends with how many made none since the last one, as " [17 suppressed]". Those behind the last record are
/// told by none. The interval is measured by the time stamp counter, whose rate is known to about 1 %.
#define FAULTLINE_LOG_EVERY(lg, l, interval, ...)                                                            \
  FAULTLINE_DETAIL_CHOSEN((lg), (l), FAULTLINE_DETAIL_EVERY, (interval), FAULTLINE_DETAIL_WRITE_LIMITED,     \
                          __VA_ARGS__)

/// In a catch block: a record at ERROR that tells, beside its message, the type and what() of the exception
/// being handled and of those nested in it (record_view::exception), cut at 512 bytes. Anywhere else it is
/// FAULTLINE_ERROR. It throws and catches the exception once more to look at it, and those nested in it:
/// microseconds, and what the C++ runtime allocates and locks for that. Nothing leaves the statement.
#define FAULTLINE_EXCEPTION(lg, ...)                                                                         \
  FAULTLINE_DETAIL_CHOSEN((lg), ::faultline::level::error, FAULTLINE_DETAIL_IF, true,                        \
                          FAULTLINE_DETAIL_WRITE_EXCEPTION, __VA_ARGS__)

#define FAULTLINE_DETAIL_CHOSEN(...) FAULTLINE_DETAIL_NUMBERED_CHOSEN(__COUNTER__, __VA_ARGS__)
#define FAULTLINE_DETAIL_NUMBERED_CHOSEN(...) FAULTLINE_DETAIL_CHOSEN_OF_NUMBER(__VA_ARGS__)
#define FAULTLINE_DETAIL_CHOSEN_OF_NUMBER(n, lg, wanted_level, choice, by, write_it, format_text, ...)       \
  do {                                                                                                       \
    if (::faultline::detail::at_run_time()) {                                                                \
      const ::faultline::detail::occurrence faultline_##n{lg.node(), wanted_level};                          \
      if (::faultline::detail::compiled_in(faultline_##n.level, FAULTLINE_ACTIVE_LEVEL) &&                   \
          faultline_##n.is_on()) {                                                                           \
        if (choice(n, by)) {                                                                                 \
          FAULTLINE_DETAIL_FUNCTION(n);                                                                      \
          write_it(n, FAULTLINE_DETAIL_SITE(n, format_text, "" #__VA_ARGS__, ::faultline::level::off),       \
                   format_text __VA_OPT__(, ) __VA_ARGS__);                                                  \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  } while (false)

// What stands between the parentheses of the `if`.
#define FAULTLINE_DETAIL_IF(n, condition) condition
#define FAULTLINE_DETAIL_EVERY_N(n, nth)                                                                     \
  FAULTLINE_DETAIL_STATIC(::faultline::detail::occurrence_count).is_nth(nth)
#define FAULTLINE_DETAIL_FIRST_N(n, first)                                                                   \
  FAULTLINE_DETAIL_STATIC(::faultline::detail::occurrence_count).is_among_first(first)
#define FAULTLINE_DETAIL_EVERY(n, interval)                                                                  \
  ::faultline::detail::interval_limit& faultline_limit_##n =                                                 \
      FAULTLINE_DETAIL_STATIC(::faultline::detail::interval_limit);                                          \
  faultline_limit_##n.admits(faultline_##n.gate(), interval)

#define FAULTLINE_DETAIL_WRITE_CHOSEN(n, site, ...)                                                          \
  ::faultline::detail::write(faultline_##n.gate(), site, faultline_##n.level_at_run_time(), __VA_ARGS__)
#define FAULTLINE_DETAIL_WRITE_LIMITED(n, site, ...)                                                         \
  ::faultline::detail::write_with(                                                                           \
      faultline_##n.gate(), site, faultline_##n.level_at_run_time(),                                         \
      ::faultline::detail::suppressed_count{faultline_limit_##n.take_suppressed()}, __VA_ARGS__)
#define FAULTLINE_DETAIL_WRITE_EXCEPTION(n, site, ...)                                                       \
  ::faultline::detail::write_with(faultline_##n.gate(), site, faultline_##n.level_at_run_time(),             \
                                  ::faultline::detail::exception_story().wire(), __VA_ARGS__)
