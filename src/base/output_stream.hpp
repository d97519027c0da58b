// What a standard stream may turn into while the program runs.
//
// A redirection and a number that was closed and used again look alike. Records go to what the stream was
// when its handler was made, and to the null device, where they harm nobody; to something else only after
// the program asked for it by `reopen`, and only where it can be an output stream.
#pragma once

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/descriptor_identity.hpp"

namespace faultline::detail {

[[nodiscard]] inline bool is_null_device(const struct ::stat& facts) noexcept {
  return S_ISCHR(facts.st_mode) && facts.st_rdev == makedev(1, 3);
}

/// What the descriptor is open on if that can be a program's output: a terminal or another character device,
/// a pipe, or a file that is open for appending alone. Of nothing for all else, a data file or a connection.
[[nodiscard]] inline descriptor_identity output_stream_at(int descriptor) noexcept {
  struct ::stat facts {};
  if (::fstat(descriptor, &facts) != 0) return {};
  const int flags = ::fcntl(descriptor, F_GETFL);
  const bool appends = flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) != 0;
  const bool is_output =
      S_ISCHR(facts.st_mode) || S_ISFIFO(facts.st_mode) || (S_ISREG(facts.st_mode) && appends);
  if (is_output) return descriptor_identity(facts);
  errno = EBADF;
  return {};
}

} // namespace faultline::detail
