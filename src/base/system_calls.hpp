// The seam between the handlers and the kernel, at which tests inject faults.
#pragma once

#include <chrono>
#include <cstddef>

#include <sys/stat.h>
#include <sys/types.h>

namespace faultline::detail {

/// The system calls of the handlers that write to descriptors; each behaves as the one of its name, errno
/// included. Function pointers, not a base class: one table is shared by all handlers and never changes.
struct system_calls {
  int (*open)(const char* path, int flags, ::mode_t mode);
  ::ssize_t (*write)(int descriptor, const void* bytes, std::size_t count);
  int (*fstat)(int descriptor, struct ::stat* facts);
  int (*ftruncate)(int descriptor, ::off_t bytes);
  int (*close)(int descriptor);
  std::chrono::nanoseconds (*monotonic_now)(); ///< time for pauses between retries
};

/// The kernel's own. The reference is good for ever.
[[nodiscard]] const system_calls& real_system_calls() noexcept;

} // namespace faultline::detail
