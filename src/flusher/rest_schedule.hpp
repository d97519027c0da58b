// How long the flusher rests between two rounds.
#pragma once

#include <chrono>

#include <faultline/runtime.hpp>

#include "flusher/round.hpp"

namespace faultline::detail {

/// Short while there is work, shorter where threads come near to what they can hold, and longer and longer
/// where there is nothing to do. Flusher thread only.
class rest_schedule {
 public:
  explicit rest_schedule(const runtime_options& options) noexcept
      : options_(options), rest_(options.busy_interval) {}

  /// The rest after a round; zero: none.
  [[nodiscard]] std::chrono::nanoseconds after(const round::outcome& outcome) noexcept;

 private:
  const runtime_options& options_;
  std::chrono::nanoseconds rest_; // the latest one that was not a pressed round's
  unsigned quiet_rounds_ = 0;
  unsigned pressed_ = 0; // rounds with short rests to go
};

} // namespace faultline::detail
