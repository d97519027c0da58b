#include "handlers/claim.hpp"

#include <faultline/configuration_error.hpp>

#include "handlers/handler_access.hpp"
#include "handlers/wrapping_handler.hpp"

namespace faultline::detail {
namespace {

/// Calls `use` with the handler and with those inside.
template <class Use> void for_each_inside(handler& h, Use&& use) {
  use(h);
  if (const auto* around = dynamic_cast<const wrapping_handler*>(&h))
    for (handler* inner : around->same_thread())
      if (inner != nullptr) for_each_inside(*inner, use);
}

} // namespace

void claim(handler& h, const void* caller) {
  for_each_inside(h, [caller](const handler& one) {
    if (handler_access::is_kept(one) && !handler_access::is_kept_by(one, caller))
      throw configuration_error("handler", "in other hands",
                                "one runtime or one background handler calls a handler: make one for each");
  });
  for_each_inside(h, [caller](handler& one) { (void)handler_access::replace_keeper(one, nullptr, caller); });
}

void give_back(handler& h, const void* caller) noexcept {
  for_each_inside(h, [caller](handler& one) { (void)handler_access::replace_keeper(one, caller, nullptr); });
}

} // namespace faultline::detail
