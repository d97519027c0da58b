#include "handlers/claim.hpp"

#include <vector>

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

void replace_caller(handler& h, const void* present, const void* other) noexcept {
  for_each_inside(h, [=](handler& one) {
    (void)handler_access::replace_keeper(one, present, other);
    (void)handler_access::replace_keeper(one, handler_access::calling(present), other);
  });
}

} // namespace

void claim(handler& h, const void* caller) {
  std::vector<handler*> taken;
  try {
    for_each_inside(h, [&](handler& one) {
      taken.push_back(&one);
      if (handler_access::replace_keeper(one, nullptr, handler_access::calling(caller))) return;
      taken.pop_back();
      if (!handler_access::is_called_by(one, caller))
        throw configuration_error("handler", "in other hands",
                                  "one runtime or one background handler calls a handler: make one for each");
    });
  } catch (...) {
    for (handler* one : taken)
      (void)handler_access::replace_keeper(*one, handler_access::calling(caller), nullptr);
    throw;
  }
}

void give_back(handler& h, const void* caller) noexcept { replace_caller(h, caller, nullptr); }

void leave_to_its_thread(handler& h, const void* caller) noexcept {
  static constexpr int nobody = 0;
  replace_caller(h, caller, handler_access::calling(&nobody));
}

} // namespace faultline::detail
