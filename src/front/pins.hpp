// Records that scopes pinned: the first of a scope, which outlast their segment.
#pragma once

#include "front/trip_decision.hpp"

namespace faultline::detail {

/// The buffer's oldest segment is about to be forgotten: copies aside what open scopes pinned in it. What has
/// no room is forgotten like the rest, and counted.
void keep_pinned(thread_slot& slot) noexcept;

/// From where on a hand-over of those scopes takes pinned records along; no position at all without any.
[[nodiscard]] position first_pin(thread_slot& slot, scope_set tripped) noexcept;

} // namespace faultline::detail
