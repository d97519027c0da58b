// What the runtime may do with a handler's private parts.
#pragma once

#include <faultline/handler.hpp>

namespace faultline::detail {

class handler_access {
 public:
  /// Called after a handler's level changed, so that the runtimes publish their loggers' pass masks anew.
  /// Set once by the registry, with release, before any handler can be attached; handlers are a room below
  /// it.
  static std::atomic<void (*)()> level_listener;

  /// How many runtimes keep the handler: above zero a raw pointer to it is good until they stop.
  static std::atomic<std::uint32_t>& keepers(handler& h) noexcept { return h.keepers_; }
};

} // namespace faultline::detail
