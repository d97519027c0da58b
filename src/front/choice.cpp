#include <faultline/detail/choice.hpp>

#include "front/core.hpp"

namespace faultline::detail {

bool interval_limit::admits(const level_gate& gate, std::chrono::nanoseconds interval) noexcept {
  if (interval.count() <= 0) return true;
  const core& owner = core::of(gate.owner());
  return admits(read_ticks(owner.geometry().clock), owner.ticks_in(interval));
}

} // namespace faultline::detail
