// Which handlers a record of the pass path goes to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "front/registry.hpp"

namespace faultline::detail {

/// Answers by the stays of handlers at the logger and at those it passes its records on to. Flusher thread
/// only.
class router {
 public:
  /// The handlers, each once, whose stay holds `ticks` and whose threshold takes the level. Good until the
  /// next call.
  ///
  /// The answer is kept, with the time for which it holds, until `forget`. What was published since then is
  /// not asked for again, and need not be: stays begin and end ahead of their publication (decision 0004), so
  /// lists read after a record was published tell all about it. `forget` between reading how far records are
  /// published and asking about them.
  [[nodiscard]] std::span<handler* const> route(const node& logger, level l, std::uint64_t ticks) {
    if (&logger != logger_ || l != level_ || ticks < from_ || ticks >= until_) find(logger, l, ticks);
    return targets_;
  }
  void forget() noexcept { logger_ = nullptr; }

  /// Whether the target is among those handlers.
  [[nodiscard]] static bool serves(const node& logger, const handler* target, level l,
                                   std::uint64_t ticks) noexcept;

 private:
  void find(const node& logger, level l, std::uint64_t ticks);

  const node* logger_ = nullptr;
  level level_{};
  std::uint64_t from_ = 0;
  std::uint64_t until_ = 0;
  std::vector<handler*> targets_;
};

} // namespace faultline::detail
