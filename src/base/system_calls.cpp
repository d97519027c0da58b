#include "base/system_calls.hpp"

#include <fcntl.h>
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
      .monotonic_now =
          [] {
            return std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::steady_clock::now().time_since_epoch());
          },
  };
  return calls;
}

} // namespace faultline::detail
