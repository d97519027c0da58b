// Whom a record concerns: the scopes that it trips, and those that only want to see it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "buffer/thread_slot.hpp"
#include "front/registry.hpp"

namespace faultline::detail {

/// A set of the thread's open scopes, one bit each by their place in the table.
using scope_set = std::uint32_t;
static_assert(deepest_scope <= 32, "one bit for each scope");

[[nodiscard]] constexpr scope_set bit_of_scope(std::size_t index) noexcept { return scope_set{1} << index; }

struct trip_decision {
  scope_set tripped = 0; ///< they write what they hold
  scope_set failed = 0;  ///< of these, those whose work failed: not those that are only full
  scope_set told = 0;    ///< their targets get the record alone: they pass through, or expected it
  scope_set urgent = 0;  ///< of these, those at whose flush level it is

  [[nodiscard]] bool any() const noexcept { return (tripped | told) != 0; }
};

} // namespace faultline::detail
