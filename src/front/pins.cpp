#include "front/pins.hpp"

#include <algorithm>

#include "front/core.hpp"

namespace faultline::detail {
namespace {

bool pins(const scope_slot& scope) noexcept {
  return scope.pin_first() != 0 && !scope.passing && !scope.abandoned();
}

bool pins_more(const scope_slot& scope) noexcept {
  return pins(scope) && scope.special.pinned != scope.special.pin_first;
}

/// Whether an open scope counts that record among its first; counts it for each that does.
bool is_wanted(thread_slot& slot, const record_reader& record, position at) noexcept {
  const node* const n = slot.home->owner.loggers.find(record.logger());
  bool wanted = false;
  for (scope_slot& scope : slot.scopes()) {
    if (!pins_more(scope) || at < scope.watermark || n == nullptr || !n->reaches(*scope.logger)) continue;
    ++scope.special.pinned;
    scope.special.pinned_to = at + 1;
    wanted = true;
  }
  return wanted;
}

} // namespace

void keep_pinned(thread_slot& slot) noexcept {
  position lowest = UINT64_MAX;
  bool more = false;
  for (const scope_slot& scope : slot.scopes()) {
    if (pins(scope)) lowest = std::min(lowest, scope.watermark);
    more = more || pins_more(scope);
  }
  if (!more) return;
  slot.drop_pins_before(lowest);
  bool room = true;
  slot.for_each_in_oldest([&](const record_reader& record, position at) {
    if (is_wanted(slot, record, at)) room = room && slot.pin(record, at);
  });
}

position first_pin(thread_slot& slot, scope_set tripped) noexcept {
  position first = UINT64_MAX;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i)
    if ((tripped & bit_of_scope(i)) != 0 && scopes[i].pin_first() != 0)
      first = std::min(first, scopes[i].watermark);
  return first;
}

} // namespace faultline::detail
