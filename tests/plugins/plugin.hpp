// What the plug-ins of these tests can do. Each is built from plugin.cpp with a name of its own, and loaded
// by dlopen.
#pragma once

#include <faultline/log.hpp>

namespace faultline::test {

struct plugin_calls {
  /// Where the plug-in finds the calling thread's cursor.
  const void* (*cursor_address)() noexcept;
  /// Logs "NAME held NUMBER of TEXT" at debug.
  void (*hold)(logger lg, int number, const char* text) noexcept;
  /// Logs "NAME failed" at error.
  void (*fail)(logger lg) noexcept;
  /// Adds the field "plugin" with the plug-in's name to a scope of the caller's.
  void (*add_field)(error_scope& scope) noexcept;
  /// A scope of the plug-in's own around one debug record, tripped by call.
  void (*trip)(logger lg);
  /// Throws configuration_error by way of the library, and out of the plug-in.
  void (*throw_error)();
  /// A handler's class as the plug-in sees it: whether `h` is a memory handler.
  bool (*is_memory_handler)(const handler* h);
};

/// The one symbol that the plug-ins export.
using plugin_entry = const plugin_calls* (*)();

} // namespace faultline::test
