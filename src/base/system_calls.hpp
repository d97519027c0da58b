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
  ::ssize_t (*read)(int descriptor, void* bytes, std::size_t count);
  int (*fsync)(int descriptor);
  int (*lstat)(const char* path, struct ::stat* facts);
  int (*rename)(const char* from, const char* to);
  int (*unlink)(const char* path);
  int (*flock)(int descriptor, int operation);
  std::chrono::nanoseconds (*monotonic_now)();         ///< time for pauses between retries
  std::chrono::system_clock::time_point (*wall_now)(); ///< time for rotation by the clock
};

/// The kernel's own. The reference is good for ever.
[[nodiscard]] const system_calls& real_system_calls() noexcept;

/// The same with a write that does not wait for a terminal that was stopped or whose reader hangs, for a slow
/// reader of a pipe or for the other end of a socket: it answers EAGAIN where nothing can be taken. Without
/// /proc, and for a terminal that the process may not open, it asks first and takes little at a time.
[[nodiscard]] const system_calls& calls_without_waiting() noexcept;

} // namespace faultline::detail
