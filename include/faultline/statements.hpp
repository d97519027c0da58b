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
  FAULTLINE_DETAIL_CHOSEN(lg, l, , condition, FAULTLINE_DETAIL_WRITE_CHOSEN, __VA_ARGS__)

/// The first occurrence and each `n`-th after it; each one where n is below 2.
#define FAULTLINE_LOG_EVERY_N(lg, l, n, ...)                                                                 \
  FAULTLINE_DETAIL_CHOSEN(lg, l, static constinit ::faultline::detail::occurrence_count faultline_count;     \
                          , faultline_count.is_nth(n), FAULTLINE_DETAIL_WRITE_CHOSEN, __VA_ARGS__)

/// The first `n` occurrences; none where n is not positive.
#define FAULTLINE_LOG_FIRST_N(lg, l, n, ...)                                                                 \
  FAULTLINE_DETAIL_CHOSEN(lg, l, static constinit ::faultline::detail::occurrence_count faultline_count;     \
                          , faultline_count.is_among_first(n), FAULTLINE_DETAIL_WRITE_CHOSEN, __VA_ARGS__)

/// The first occurrence.
#define FAULTLINE_LOG_ONCE(lg, l, ...) FAULTLINE_LOG_FIRST_N(lg, l, 1, __VA_ARGS__)

/// At most one record in `interval`, a std::chrono duration; not positive: each one. The record's message
/// ends with how many made none since the last one, as " [17 suppressed]". Those behind the last record are
/// told by none. The interval is measured by the time stamp counter, whose rate is known to about 1 %.
#define FAULTLINE_LOG_EVERY(lg, l, interval, ...)                                                            \
  FAULTLINE_DETAIL_CHOSEN(lg, l, static constinit ::faultline::detail::interval_limit faultline_limit;       \
                          , faultline_limit.admits(faultline_node.gate(faultline_level), interval),          \
                          FAULTLINE_DETAIL_WRITE_LIMITED, __VA_ARGS__)

/// In a catch block: a record at ERROR that tells, beside its message, the type and what() of the exception
/// being handled and of those nested in it (record_view::exception), cut at 512 bytes. Anywhere else it is
/// FAULTLINE_ERROR. It throws and catches the exception once more to look at it, and those nested in it:
/// microseconds, and what the C++ runtime allocates and locks for that. Nothing leaves the statement.
#define FAULTLINE_EXCEPTION(lg, ...)                                                                         \
  FAULTLINE_DETAIL_CHOSEN(lg, ::faultline::level::error, , true, FAULTLINE_DETAIL_WRITE_EXCEPTION,           \
                          __VA_ARGS__)

#define FAULTLINE_DETAIL_CHOSEN(lg, wanted_level, state, chosen, write_it, format_text, ...)                 \
  do {                                                                                                       \
    const ::faultline::detail::node_head& faultline_node = (lg).node();                                      \
    const ::faultline::level faultline_level = (wanted_level);                                               \
    if (::faultline::detail::compiled_in(faultline_level, FAULTLINE_ACTIVE_LEVEL) &&                         \
        ::faultline::detail::is_on(faultline_node, faultline_level) &&                                       \
        faultline_level < ::faultline::level::off) {                                                         \
      state if (chosen) {                                                                                    \
        static constinit ::faultline::detail::site faultline_site{{::faultline::detail::unentered},          \
                                                                  format_text,                               \
                                                                  __FILE__,                                  \
                                                                  static_cast<const char*>(__func__),        \
                                                                  "" #__VA_ARGS__,                           \
                                                                  __LINE__,                                  \
                                                                  ::faultline::level::off};                  \
        const ::faultline::detail::level_at_run_time faultline_bit{                                          \
            ::faultline::detail::bit_of(faultline_level)};                                                   \
        write_it(format_text __VA_OPT__(, ) __VA_ARGS__);                                                    \
      }                                                                                                      \
    }                                                                                                        \
  } while (false)

#define FAULTLINE_DETAIL_WRITE_CHOSEN(...)                                                                   \
  ::faultline::detail::write(faultline_node.gate(faultline_level), faultline_site, faultline_bit, __VA_ARGS__)
#define FAULTLINE_DETAIL_WRITE_LIMITED(...)                                                                  \
  ::faultline::detail::write_with(faultline_node.gate(faultline_level), faultline_site, faultline_bit,       \
                                  ::faultline::detail::suppressed_count{faultline_limit.take_suppressed()},  \
                                  __VA_ARGS__)
#define FAULTLINE_DETAIL_WRITE_EXCEPTION(...)                                                                \
  ::faultline::detail::write_with(faultline_node.gate(faultline_level), faultline_site, faultline_bit,       \
                                  ::faultline::detail::exception_story().wire(), __VA_ARGS__)
