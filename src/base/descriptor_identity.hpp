// Descriptors that the library opened, and how it knows them again.
//
// A number is no identity: a program may close descriptors that are not its own (a daemonize that closes all
// of them, a child between fork and exec) and open something else under the same number. Whoever keeps a
// descriptor notes what it opened, compares before it writes a batch or closes, and leaves alone what is not
// that any more.
#pragma once

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace faultline::detail {

/// What a descriptor was opened on: file, device or socket. A socket's inode number is its own, so another
/// socket is another identity. Header-only: optional components use it, too.
class descriptor_identity {
 public:
  /// Of nothing: no descriptor has it.
  descriptor_identity() noexcept = default;
  explicit descriptor_identity(const struct ::stat& facts) noexcept
      : known_(true), device_(facts.st_dev), inode_(facts.st_ino), special_(facts.st_rdev),
        type_(facts.st_mode & S_IFMT) {}
  /// Of what the descriptor is open on now; of nothing when it is not open. One system call.
  [[nodiscard]] static descriptor_identity of(int descriptor) noexcept {
    struct ::stat facts {};
    return descriptor >= 0 && ::fstat(descriptor, &facts) == 0 ? descriptor_identity(facts)
                                                               : descriptor_identity();
  }

  [[nodiscard]] bool is_known() const noexcept { return known_; }
  /// Whether the descriptor is still open on that. One system call; errno is as before.
  [[nodiscard]] bool is_at(int descriptor) const noexcept {
    const int before = errno;
    const bool same = *this == of(descriptor);
    errno = before;
    return same;
  }
  /// Identities of nothing are not equal to anything.
  friend bool operator==(const descriptor_identity& a, const descriptor_identity& b) noexcept {
    return a.known_ && b.known_ && a.device_ == b.device_ && a.inode_ == b.inode_ &&
           a.special_ == b.special_ && a.type_ == b.type_;
  }

 private:
  bool known_ = false;
  ::dev_t device_ = 0;
  ::ino_t inode_ = 0;
  ::dev_t special_ = 0;
  ::mode_t type_ = 0;
};

/// The same descriptor under a number above those of the standard streams: one that is lower is duplicated
/// and closed, since whatever writes to a closed stream's number would write there. -1 and errno when there
/// is no number left; the one that came is closed then. Descriptors of the library close on exec.
[[nodiscard]] inline int above_standard_streams(int descriptor) noexcept {
  if (descriptor < 0 || descriptor > STDERR_FILENO) return descriptor;
  const int higher = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  (void)::close(descriptor);
  errno = error;
  return higher;
}

} // namespace faultline::detail
