// How many mails an hour may have.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace faultline::detail {

/// Exact: no stretch of an hour, wherever it begins, has more mails than the limit. One thread at a time. It
/// remembers the times of one hour's mails, so its memory is bounded by the limit.
class rate_limit {
 public:
  /// `mails` an hour; 0: no limit.
  explicit rate_limit(std::size_t mails) : mails_(mails) {}

  /// Whether there may be one at `now`; it counts if so. `now` never goes back.
  [[nodiscard]] bool allow(std::chrono::nanoseconds now) {
    if (mails_ == 0) return true;
    while (!times_.empty() && now - times_.front() >= std::chrono::hours(1)) times_.pop_front();
    if (times_.size() >= mails_) return false;
    times_.push_back(now);
    return true;
  }

 private:
  std::size_t mails_;
  std::deque<std::chrono::nanoseconds> times_;
};

} // namespace faultline::detail
