#include "base/system_calls.hpp"

#include <cstdio>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace faultline::detail {

const system_calls& real_system_calls() noexcept {
  // The lambdas give variadic and versioned functions one plain signature.
  static constexpr system_calls calls = {
      .open = [](const char* path, int flags, ::mode_t mode) { return ::open(path, flags, mode); },
      .write = [](int descriptor, const void* bytes,
                  std::size_t count) { return ::write(descriptor, bytes, count); },
      .fstat = [](int descriptor, struct ::stat* facts) { return ::fstat(descriptor, facts); },
      .ftruncate = [](int descriptor, ::off_t bytes) { return ::ftruncate(descriptor, bytes); },
      .close = [](int descriptor) { return ::close(descriptor); },
      .read = [](int descriptor, void* bytes, std::size_t count) { return ::read(descriptor, bytes, count); },
      .fsync = [](int descriptor) { return ::fsync(descriptor); },
      .lstat = [](const char* path, struct ::stat* facts) { return ::lstat(path, facts); },
      .rename = [](const char* from, const char* to) { return ::rename(from, to); },
      .unlink = [](const char* path) { return ::unlink(path); },
      .flock = [](int descriptor, int operation) { return ::flock(descriptor, operation); },
      .monotonic_now =
          [] {
            return std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::steady_clock::now().time_since_epoch());
          },
      .wall_now = [] { return std::chrono::system_clock::now(); },
  };
  return calls;
}

} // namespace faultline::detail
