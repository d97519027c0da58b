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
  /// The handlers, each once, whose stay holds the version at which the record was logged and whose threshold
  /// takes the level. Good until the next call.
  ///
  /// The answer is kept, with the versions for which it holds, until `forget`. What was published since then
  /// is not asked for again, and need not be: a version's lists are published before a record can have it, so
  /// lists read after the record was published tell all about it. `forget` between reading how far records
  /// are published and asking about them.
  [[nodiscard]] std::span<handler* const> route(const node& logger, level l, std::uint32_t version) {
    if (&logger != logger_ || l != level_ || version < from_ || version >= until_) find(logger, l, version);
    return targets_;
  }
  void forget() noexcept { logger_ = nullptr; }

 private:
  void find(const node& logger, level l, std::uint32_t version);

  const node* logger_ = nullptr;
  level level_{};
  std::uint32_t from_ = 0;
  std::uint32_t until_ = 0;
  std::vector<handler*> targets_;
};

} // namespace faultline::detail
