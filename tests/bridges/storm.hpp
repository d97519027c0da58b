// Two errors in one program: one that storms, and a rare one.
#pragma once

#include <algorithm>

#include "support/manual_runtime.hpp"

namespace faultline::test {

[[nodiscard]] inline runtime_options soon_a_storm() {
  return {.storm_dumps_per_second = 1, .storm_burst = 5};
}

/// Has `common(i)` log an error in twenty scopes, then `rare()` in one. Whether the rare error has its
/// context; the storm's last must have none.
template <class Common, class Rare>
[[nodiscard]] bool rare_error_keeps_context(manual_runtime& rt, logger lg, Common common, Rare rare) {
  const auto has_context = [&](auto error) {
    rt.write_all();
    rt.target->clear();
    {
      const error_scope scope(lg);
      FAULTLINE_DEBUG(lg, "context");
      error();
    }
    const strings written = rt.messages();
    return std::find(written.begin(), written.end(), "context") != written.end();
  };
  for (int i = 0; i < 19; ++i) (void)has_context([&] { common(i); });
  return !has_context([&] { common(19); }) && has_context(rare);
}

} // namespace faultline::test
