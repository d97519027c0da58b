// When the flusher writes what `runtime::stats` counts.
#pragma once

#include <chrono>
#include <cstdint>

namespace faultline::detail {

/// At an interval, late by the flusher's rests, and at the end. Flusher thread only.
class stats_schedule {
 public:
  /// Zero: never.
  stats_schedule(std::chrono::nanoseconds interval, std::uint64_t now_ns) noexcept
      : interval_ns_(static_cast<std::uint64_t>(interval.count())), due_ns_(now_ns + interval_ns_) {}

  /// Whether a line is to be written now. One that comes late is followed by the next after an interval, not
  /// by those that were missed.
  [[nodiscard]] bool is_due(std::uint64_t now_ns, bool last) noexcept {
    if (interval_ns_ == 0 || (now_ns < due_ns_ && !last)) return false;
    due_ns_ = now_ns + interval_ns_;
    return true;
  }

 private:
  std::uint64_t interval_ns_;
  std::uint64_t due_ns_;
};

} // namespace faultline::detail
