// All clocks of a test: its own time, and a time stamp counter that steps. For programs whose files of the
// library that read the counter are compiled with stepping_counter.h.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

namespace faultline::stress {

using wall_time = std::chrono::system_clock::time_point;

enum class step : std::uint8_t {
  none,
  back_2_s,
  back_1_h,
  to_zero,
  ahead_1_day,
  stands_still,
  wild,
  runs_back
};
inline constexpr std::array all_steps{step::back_2_s, step::back_1_h, step::to_zero, step::ahead_1_day};
inline constexpr std::int64_t ticks_per_ns = 3; // but where a test says otherwise

// A test may have its own time, which goes on by 30 ns at each reading and as the test says.
inline std::atomic<bool> own_time{false};
inline std::atomic<std::int64_t> own_ns{7'200'000'000'000}; // the machine is up for two hours
inline std::atomic<std::int64_t> reading_ns{30};
inline std::atomic<std::int64_t> offset_ticks{0};
inline std::atomic<std::uint64_t> readings{0}; // of the counter
inline std::atomic<std::uint64_t> step_at{0};  // the reading before which it steps
inline step step_kind = step::none;
inline std::atomic<std::uint64_t> act_at{0}; // the reading behind which `action` happens
inline std::function<void()> action;

inline std::atomic<bool> trusted{false}; // the planted fault

void make_step(step kind) noexcept;
/// From now on the counter has so many ticks a millisecond.
void set_rate(std::int64_t ticks_per_ms) noexcept;

[[nodiscard]] wall_time own_now();
inline void let_pass(std::chrono::nanoseconds time) { own_ns += time.count(); }

/// Its own time, and one step before a reading.
class stage {
 public:
  stage(step kind, std::uint64_t at);
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;
  ~stage();
};

/// Whether the processor has a counter; says so where it has none.
[[nodiscard]] bool is_available();

} // namespace faultline::stress
