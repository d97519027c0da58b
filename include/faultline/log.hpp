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

#define FAULTLINE_DETAIL_JOIN2(a, b) a##b
#define FAULTLINE_DETAIL_JOIN(a, b) FAULTLINE_DETAIL_JOIN2(a, b)

#define FAULTLINE_DETAIL_STATEMENT(lg, site_level, wanted_level, own_level, format_text, ...)                \
  do {                                                                                                       \
    if constexpr (::faultline::detail::compiled_in(site_level, FAULTLINE_ACTIVE_LEVEL)) {                    \
      const ::faultline::level faultline_level = (wanted_level);                                             \
      const ::faultline::detail::node_head& faultline_node = (lg).node();                                    \
      if (::faultline::detail::is_on(faultline_node, faultline_level) &&                                     \
          faultline_level < ::faultline::level::off) [[likely]] {                                            \
        static constinit ::faultline::detail::site faultline_site{{::faultline::detail::unentered},          \
                                                                  format_text,                               \
                                                                  __FILE__,                                  \
                                                                  static_cast<const char*>(__func__),        \
                                                                  "" #__VA_ARGS__,                           \
                                                                  __LINE__,                                  \
                                                                  site_level};                               \
        ::faultline::detail::write(faultline_node.gate(faultline_level), faultline_site, own_level,          \
                                   format_text __VA_OPT__(, ) __VA_ARGS__);                                  \
      }                                                                                                      \
    }                                                                                                        \
  } while (false)

/// FAULTLINE_DEBUG(lg, "format {}", argument, …): one record at that level if the logger is enabled for it.
/// The format is a string literal, checked at compile time (fmt's syntax). The logger expression is evaluated
/// once; the arguments only if the record is made. Never blocks, allocates, locks, makes a system call or
/// throws, once the thread is attached.
/// @{
#define FAULTLINE_TRACE(lg, ...) FAULTLINE_DETAIL_AT(lg, ::faultline::level::trace, __VA_ARGS__)
#define FAULTLINE_DEBUG(lg, ...) FAULTLINE_DETAIL_AT(lg, ::faultline::level::debug, __VA_ARGS__)
#define FAULTLINE_INFO(lg, ...) FAULTLINE_DETAIL_AT(lg, ::faultline::level::info, __VA_ARGS__)
#define FAULTLINE_WARNING(lg, ...) FAULTLINE_DETAIL_AT(lg, ::faultline::level::warning, __VA_ARGS__)
#define FAULTLINE_ERROR(lg, ...) FAULTLINE_DETAIL_AT(lg, ::faultline::level::error, __VA_ARGS__)
#define FAULTLINE_CRITICAL(lg, ...) FAULTLINE_DETAIL_AT(lg, ::faultline::level::critical, __VA_ARGS__)
/// @}
#define FAULTLINE_DETAIL_AT(lg, l, ...)                                                                      \
  FAULTLINE_DETAIL_STATEMENT(lg, l, l, ::faultline::detail::level_of_site{}, __VA_ARGS__)

/// The same with a level known at run time; `off` and values that are no level make no record. It is not
/// removed by FAULTLINE_ACTIVE_LEVEL unless that is 6.
#define FAULTLINE_LOG(lg, l, ...)                                                                            \
  FAULTLINE_DETAIL_STATEMENT(                                                                                \
      lg, ::faultline::level::off, l,                                                                        \
      ::faultline::detail::level_at_run_time{::faultline::detail::bit_of(faultline_level)}, __VA_ARGS__)

/// An error scope to the end of the block: FAULTLINE_SCOPE(lg); or FAULTLINE_SCOPE(lg, .name = "order",
/// .capacity = 50);
#define FAULTLINE_SCOPE(lg, ...)                                                                             \
  const ::faultline::error_scope FAULTLINE_DETAIL_JOIN(faultline_scope_, __LINE__) {                         \
    (lg) __VA_OPT__(, ::faultline::scope_options{__VA_ARGS__})                                               \
  }
