// Which occurrences of a statement become records: one object for each statement, shared by all threads.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>

#include <faultline/detail/node.hpp>
#include <faultline/export.hpp>

namespace faultline::detail {

// Relaxed throughout: a count and a deadline order nothing else; each occurrence asks for itself.

/// Counts occurrences.
class occurrence_count {
 public:
  /// The first, the n+1st, the 2n+1st and so on; each one where `n` is below 2. One fetch_add.
  template <std::integral N> [[nodiscard]] bool is_nth(N n) noexcept {
    return n < 2 ||
           seen_.fetch_add(1, std::memory_order_relaxed) % static_cast<std::uint64_t>(n < 2 ? 2 : n) == 0;
  }

  /// The first `n`; none where `n` is not positive. A load once they are over.
  template <std::integral N> [[nodiscard]] bool is_among_first(N n) noexcept {
    if (n <= 0) return false;
    const auto most = static_cast<std::uint64_t>(n);
    return seen_.load(std::memory_order_relaxed) < most &&
           seen_.fetch_add(1, std::memory_order_relaxed) < most;
  }

 private:
  std::atomic<std::uint64_t> seen_{0}; // relaxed: a count
};

/// Lets one occurrence through in each interval, and counts the others.
class interval_limit {
 public:
  /// Whether the occurrence at `now` becomes a record; one of several threads that ask at once. All threads
  /// use one clock, whose readings need not be in order. A clock that went back by more than an interval
  /// begins a new one.
  [[nodiscard]] bool admits(std::uint64_t now, std::uint64_t interval) noexcept {
    std::uint64_t due = due_.load(std::memory_order_relaxed);
    const bool is_due = now >= due || due - now > 2 * interval;
    if (is_due && due_.compare_exchange_strong(due, now + interval, std::memory_order_relaxed)) return true;
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  /// By the clock of the gate's runtime. An interval that is not positive admits all. No system call where
  /// that clock is the time stamp counter.
  [[nodiscard]] FAULTLINE_API bool admits(const level_gate& gate, std::chrono::nanoseconds interval) noexcept;
  /// The same for any duration, such as 0.5s.
  template <class Rep, class Period>
  [[nodiscard]] bool admits(const level_gate& gate, std::chrono::duration<Rep, Period> interval) noexcept {
    return admits(gate, std::chrono::duration_cast<std::chrono::nanoseconds>(interval));
  }

  /// How many were suppressed since the last call.
  [[nodiscard]] std::uint64_t take_suppressed() noexcept {
    return suppressed_.exchange(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> due_{0}; // ticks; the first reading is later than 0
  std::atomic<std::uint64_t> suppressed_{0};
};

} // namespace faultline::detail
