// The part of a logger's node that statements read.
#pragma once

#include <atomic>
#include <cstdint>

#include <faultline/level.hpp>

namespace faultline::detail {

struct core;

/// What a statement needs of its logger, in one cache line. Written under the registry's lock by whoever
/// changes levels or handlers, read by any thread. Relaxed: a statement that still sees the old value behaves
/// as one that ran a moment earlier; no other data hangs on it.
struct alignas(64) node_head {
  std::atomic<level> threshold{level::debug}; ///< effective level, inherited or the node's own
  std::atomic<level_mask> pass_mask{0};       ///< levels that a handler up the tree wants
  std::uint32_t id = 0;                       ///< never reused within a core; below 2^24
  const core* owner = nullptr;
};

} // namespace faultline::detail
