// What the runtime may do with a handler's private parts.
#pragma once

#include <faultline/handler.hpp>

namespace faultline::detail {

class handler_access {
 public:
  /// Called after a handler's level changed, so that the runtimes publish their loggers' pass masks anew.
  /// Set once by the registry, with release, before any handler can be attached; handlers are a room below
  /// it.
  static std::atomic<void (*)(handler&)> level_listener;

  /// Writes; what throws has lost the whole batch, which is counted for the handler where it did not count
  /// so much itself.
  static void write(handler& h, const batch& records);
  /// The child counts its own losses.
  static void after_fork(handler& h);

  /// From now on nothing that the calling thread logs makes a record, as on the flusher's thread: it is
  /// counted. For threads that call handlers. Defined by the front, a room above.
  static void bar_this_thread() noexcept;

  // Who has the handler: nobody (null); a runtime that calls it and keeps it alive (the runtime's address);
  // or a runtime or background handler that calls it as a part of another handler (`calling` of that
  // address).
  [[nodiscard]] static const void* calling(const void* caller) noexcept {
    return static_cast<const char*>(caller) + 1; // within the object, and no object's address
  }
  /// Whether that runtime keeps the handler alive, so that a raw pointer is good as long as the runtime.
  [[nodiscard]] static bool is_kept_by(const handler& h, const void* runtime) noexcept;
  /// Whether any runtime does.
  [[nodiscard]] static bool is_kept(const handler& h) noexcept;
  /// Whether that runtime or background handler calls it.
  [[nodiscard]] static bool is_called_by(const handler& h, const void* caller) noexcept;
  /// Notes another one if `present` is noted; false otherwise.
  static bool replace_keeper(handler& h, const void* present, const void* other) noexcept;
};

} // namespace faultline::detail
