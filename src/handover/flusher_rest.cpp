#include "handover/flusher_rest.hpp"

#include <cerrno>
#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace faultline::detail {

// futex(2) on the word itself: std::atomic::wait has no time limit, and a condition variable would have
// threads that log take its mutex.

void flusher_rest::sleep(std::chrono::nanoseconds longest) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(longest);
  const timespec limit{static_cast<std::time_t>(seconds.count()),
                       static_cast<long>((longest - seconds).count())};
  (void)::syscall(SYS_futex, &state_.word(), FUTEX_WAIT_PRIVATE, basic_rest<rest_atomic>::resting, &limit,
                  nullptr, 0);
}

void flusher_rest::wake() noexcept {
  const int error = errno; // the statement's caller keeps it
  (void)::syscall(SYS_futex, &state_.word(), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  errno = error;
}

} // namespace faultline::detail
