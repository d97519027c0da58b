#include "base/system_calls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace faultline::detail {
namespace {

/// A pipe that is ready takes this much without waiting (PIPE_BUF).
constexpr std::size_t bytes_at_once = 4096;
/// The master of a pseudo-terminal gets its room in pieces of this size.
constexpr std::size_t bytes_at_once_to_master = 256;

bool is_terminal_master(int descriptor, const struct ::stat& facts) {
  unsigned number = 0;
  return S_ISCHR(facts.st_mode) && ::ioctl(descriptor, TIOCGPTN, &number) == 0;
}

/// The terminal or pipe behind the descriptor, opened once more so that it does not wait; -1 where that
/// cannot be had. The flag of the descriptor itself is shared with other programs, whose writes would begin
/// to fail.
int open_without_waiting(int descriptor, const struct ::stat& facts) {
  std::array<char, 32> path{};
  (void)std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", descriptor);
  const int own = ::open(path.data(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct ::stat opened {};
  if (own >= 0 && ::fstat(own, &opened) == 0 && opened.st_dev == facts.st_dev &&
      opened.st_ino == facts.st_ino)
    return own;
  if (own >= 0) (void)::close(own);
  return -1;
}

/// A terminal that is ready may have room for one byte only, and a pipe's room may be another writer's by the
/// time of the write: so each is opened anew, and anew each time, since the program may put something else
/// behind the descriptor. Where that fails, what is ready takes so many bytes nearly always.
::ssize_t write_to_reader(int descriptor, const struct ::stat& facts, const void* bytes, std::size_t count) {
  const bool is_master = is_terminal_master(descriptor, facts); // to open it would make another one
  if (const int own = is_master ? -1 : open_without_waiting(descriptor, facts); own >= 0) {
    const ::ssize_t written = ::write(own, bytes, count);
    const int error = errno;
    (void)::close(own);
    errno = error;
    return written;
  }
  ::pollfd console{descriptor, POLLOUT, 0};
  const int ready = ::poll(&console, 1, 0);
  if (ready == 0) errno = EAGAIN;
  if (ready <= 0) return -1;
  return ::write(descriptor, bytes, std::min(count, is_master ? bytes_at_once_to_master : bytes_at_once));
}

::ssize_t write_without_waiting(int descriptor, const void* bytes, std::size_t count) {
  struct ::stat facts {};
  if (::fstat(descriptor, &facts) != 0) return -1;
  if (S_ISSOCK(facts.st_mode)) return ::send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (S_ISFIFO(facts.st_mode) || (S_ISCHR(facts.st_mode) && ::isatty(descriptor) == 1))
    return write_to_reader(descriptor, facts, bytes, count);
  return ::write(descriptor, bytes, count); // a file, or a device without a reader, such as /dev/null
}

} // namespace

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

const system_calls& calls_without_waiting() noexcept {
  static const system_calls calls = [] {
    system_calls c = real_system_calls();
    c.write = write_without_waiting;
    return c;
  }();
  return calls;
}

} // namespace faultline::detail
