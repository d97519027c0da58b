// A descriptor that a handler keeps, with what it was opened on.
#pragma once

#include <cerrno>
#include <utility>

#include <sys/stat.h>

#include "base/descriptor_identity.hpp"
#include "base/system_calls.hpp"

namespace faultline::detail {

struct own_descriptor {
  int number = -1;
  descriptor_identity identity;

  /// Whether the number is still open on that. One system call; errno is as before.
  [[nodiscard]] bool is_open(const system_calls& calls) const noexcept {
    const int before = errno;
    struct ::stat facts {};
    const bool same =
        number >= 0 && calls.fstat(number, &facts) == 0 && identity == descriptor_identity(facts);
    errno = before;
    return same;
  }
  /// Closes it, unless somebody else has the number by now, and forgets the number. Two system calls.
  void close(const system_calls& calls) noexcept {
    struct ::stat facts {};
    // A disk that cannot answer is no sign of another owner, and what is left open would keep its locks.
    const bool is_own =
        number >= 0 &&
        (calls.fstat(number, &facts) == 0 ? identity == descriptor_identity(facts) : errno != EBADF);
    if (is_own) (void)calls.close(number); // not retried: Linux has freed the number in any case
    number = -1;
  }
};

/// Keeps a descriptor from leaking while something may throw.
class descriptor_guard {
 public:
  descriptor_guard(own_descriptor descriptor, const system_calls& calls) noexcept
      : descriptor_(descriptor), calls_(calls) {}
  descriptor_guard(const descriptor_guard&) = delete;
  descriptor_guard& operator=(const descriptor_guard&) = delete;
  ~descriptor_guard() { reset({}); }

  [[nodiscard]] int get() const noexcept { return descriptor_.number; }
  [[nodiscard]] const own_descriptor& own() const noexcept { return descriptor_; }
  [[nodiscard]] bool is_open() const noexcept { return descriptor_.is_open(calls_); }
  own_descriptor release() noexcept { return std::exchange(descriptor_, {}); }
  void reset(own_descriptor descriptor) noexcept {
    descriptor_.close(calls_);
    descriptor_ = descriptor;
  }

 private:
  own_descriptor descriptor_;
  const system_calls& calls_;
};

} // namespace faultline::detail
