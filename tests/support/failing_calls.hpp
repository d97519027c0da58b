// The kernel's own calls on real files, of which chosen ones fail, and clocks that stand still.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string_view>

#include "base/system_calls.hpp"

namespace faultline::test {

/// Stands still until somebody sets it on; a handler's thread may look meanwhile.
class standing_clock {
 public:
  operator std::chrono::nanoseconds() const noexcept { return now_; } // NOLINT(google-explicit-constructor)
  standing_clock& operator+=(std::chrono::nanoseconds step) noexcept {
    now_ = now_.load() + step;
    return *this;
  }

 private:
  std::atomic<std::chrono::nanoseconds> now_ = std::chrono::nanoseconds(std::chrono::hours(1));
};

/// One at a time may exist. `error_of` is asked for each call but the clocks, with its name, its number from
/// 1 and the path (a rename's first) where it has one; what it returns other than 0 is the error that the
/// call fails with. `close` closes nevertheless.
class failing_calls {
 public:
  failing_calls() { current() = this; }
  failing_calls(const failing_calls&) = delete;
  failing_calls& operator=(const failing_calls&) = delete;
  ~failing_calls() { current() = nullptr; }

  std::function<int(std::string_view name, std::size_t nth, std::string_view path)> error_of;
  std::size_t most_bytes = static_cast<std::size_t>(-1); ///< that one write takes
  standing_clock now;
  std::chrono::system_clock::time_point wall = std::chrono::system_clock::now();
  std::atomic<std::size_t> calls = 0;    // relaxed would do: a handler's thread may call, too
  std::atomic<std::size_t> failures = 0; // as above

  static const detail::system_calls& table() {
    static constexpr detail::system_calls t = {
        .open = [](const char* path, int flags,
                   ::mode_t mode) { return fails("open", path) ? -1 : real().open(path, flags, mode); },
        .write = [](int d, const void* bytes, std::size_t n) -> ::ssize_t {
          return fails("write") ? -1 : real().write(d, bytes, std::min(n, current()->most_bytes));
        },
        .fstat = [](int d, struct ::stat* facts) { return fails("fstat") ? -1 : real().fstat(d, facts); },
        .ftruncate = [](int d, ::off_t n) { return fails("ftruncate") ? -1 : real().ftruncate(d, n); },
        .close =
            [](int d) {
              const int result = real().close(d);
              return fails("close") ? -1 : result;
            },
        .read = [](int d, void* bytes, std::size_t n) -> ::ssize_t {
          return fails("read") ? -1 : real().read(d, bytes, n);
        },
        .fsync = [](int d) { return fails("fsync") ? -1 : real().fsync(d); },
        .lstat = [](const char* path,
                    struct ::stat* facts) { return fails("lstat", path) ? -1 : real().lstat(path, facts); },
        .rename = [](const char* from,
                     const char* to) { return fails("rename", from) ? -1 : real().rename(from, to); },
        .unlink = [](const char* path) { return fails("unlink", path) ? -1 : real().unlink(path); },
        .flock = [](int d, int operation) { return fails("flock") ? -1 : real().flock(d, operation); },
        .monotonic_now = [] { return static_cast<std::chrono::nanoseconds>(current()->now); },
        .wall_now = [] { return current()->wall; },
    };
    return t;
  }

 private:
  static failing_calls*& current() {
    static failing_calls* calls = nullptr;
    return calls;
  }

  static const detail::system_calls& real() { return detail::real_system_calls(); }

  static bool fails(std::string_view name, std::string_view path = {}) {
    failing_calls& self = *current();
    const std::size_t nth = ++self.calls;
    const int error = self.error_of ? self.error_of(name, nth, path) : 0;
    if (error == 0) return false;
    ++self.failures;
    errno = error;
    return true;
  }
};

} // namespace faultline::test
