// What call sites include: loggers, statements, scopes. Neither handlers nor the flusher nor fmt/format.h.
#pragma once

#include <faultline/detail/statement.hpp>
#include <faultline/logger.hpp>
#include <faultline/scope.hpp>

/// Statements below this level are compiled out, their arguments unevaluated. 0 to 6, as the enumerators of
/// faultline::level (0 trace … 5 critical, 6 off).
#ifndef FAULTLINE_ACTIVE_LEVEL
#define FAULTLINE_ACTIVE_LEVEL 0
#endif

/// The one object of that type that this place in the program has. A constexpr function may not define a
/// static variable; a lambda within it may. The static's name is the same wherever the macro stands: it is
/// part of the name that the linker merges inline functions by.
#define FAULTLINE_DETAIL_STATIC(type, ...)                                                                   \
  []() __attribute__((always_inline))->type& { /* NOLINT(bugprone-macro-parentheses): a type */              \
    static constinit type faultline_static{__VA_ARGS__};                                                     \
    return faultline_static;                                                                                 \
  }                                                                                                          \
  ()

/// The site of the statement number `n`; `faultline_function_<n>` is the name of the function it stands in,
/// which within the lambda would be the lambda's.
#define FAULTLINE_DETAIL_SITE(n, format_text, argument_names, site_level)                                    \
  FAULTLINE_DETAIL_STATIC(::faultline::detail::site, {::faultline::detail::unentered}, format_text,          \
                          __FILE__, faultline_function_##n, argument_names, __LINE__, site_level)
#define FAULTLINE_DETAIL_FUNCTION(n)                                                                         \
  constexpr const char* faultline_function_##n = static_cast<const char*>(__func__)

// A statement's variables have its number in their names: one that stands in another's arguments shadows
// nothing. What is not its last argument comes in parentheses, in which the commas of such a statement stay.
#define FAULTLINE_DETAIL_STATEMENT(...) FAULTLINE_DETAIL_NUMBERED_STATEMENT(__COUNTER__, __VA_ARGS__)
#define FAULTLINE_DETAIL_NUMBERED_STATEMENT(...) FAULTLINE_DETAIL_STATEMENT_OF_NUMBER(__VA_ARGS__)
#define FAULTLINE_DETAIL_STATEMENT_OF_NUMBER(n, lg, site_level, wanted_level, whose_level, format_text, ...) \
  do {                                                                                                       \
    if constexpr (::faultline::detail::compiled_in(site_level, FAULTLINE_ACTIVE_LEVEL)) {                    \
      if (::faultline::detail::at_run_time()) {                                                              \
        const ::faultline::detail::occurrence faultline_##n{lg.node(), wanted_level};                        \
        if (faultline_##n.is_on()) [[likely]] {                                                              \
          FAULTLINE_DETAIL_FUNCTION(n);                                                                      \
          ::faultline::detail::write(faultline_##n.gate(),                                                   \
                                     FAULTLINE_DETAIL_SITE(n, format_text, "" #__VA_ARGS__, site_level),     \
                                     faultline_##n.whose_level(), format_text __VA_OPT__(, ) __VA_ARGS__);   \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  } while (false)

/// FAULTLINE_DEBUG(lg, "format {}", argument, …): one record at that level if the logger is enabled for it.
/// The format is a string literal, checked at compile time (fmt's syntax). The logger expression is evaluated
/// once; the arguments only if the record is made. Never blocks, allocates, locks, makes a system call or
/// throws, once the thread is attached.
/// @{
#define FAULTLINE_TRACE(lg, ...) FAULTLINE_DETAIL_AT((lg), ::faultline::level::trace, __VA_ARGS__)
#define FAULTLINE_DEBUG(lg, ...) FAULTLINE_DETAIL_AT((lg), ::faultline::level::debug, __VA_ARGS__)
#define FAULTLINE_INFO(lg, ...) FAULTLINE_DETAIL_AT((lg), ::faultline::level::info, __VA_ARGS__)
#define FAULTLINE_WARNING(lg, ...) FAULTLINE_DETAIL_AT((lg), ::faultline::level::warning, __VA_ARGS__)
#define FAULTLINE_ERROR(lg, ...) FAULTLINE_DETAIL_AT((lg), ::faultline::level::error, __VA_ARGS__)
#define FAULTLINE_CRITICAL(lg, ...) FAULTLINE_DETAIL_AT((lg), ::faultline::level::critical, __VA_ARGS__)
/// @}
#define FAULTLINE_DETAIL_AT(lg, l, ...) FAULTLINE_DETAIL_STATEMENT(lg, l, l, level_of_site, __VA_ARGS__)

/// The same with a level known at run time; `off` and values that are no level make no record. It is not
/// removed by FAULTLINE_ACTIVE_LEVEL unless that is 6.
#define FAULTLINE_LOG(lg, l, ...)                                                                            \
  FAULTLINE_DETAIL_STATEMENT((lg), ::faultline::level::off, (l), level_at_run_time, __VA_ARGS__)

/// An error scope to the end of the block: FAULTLINE_SCOPE(lg); or FAULTLINE_SCOPE(lg, .name = "order",
/// .capacity = 50);
#define FAULTLINE_SCOPE(...) FAULTLINE_DETAIL_NUMBERED_SCOPE(__COUNTER__, __VA_ARGS__)
#define FAULTLINE_DETAIL_NUMBERED_SCOPE(...) FAULTLINE_DETAIL_SCOPE_OF_NUMBER(__VA_ARGS__)
#define FAULTLINE_DETAIL_SCOPE_OF_NUMBER(n, lg, ...)                                                         \
  const ::faultline::error_scope faultline_scope_##n {                                                       \
    (lg) __VA_OPT__(, ::faultline::scope_options{__VA_ARGS__})                                               \
  }
