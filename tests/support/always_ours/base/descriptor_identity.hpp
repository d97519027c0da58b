// The control of tests for foreign descriptors, in place of src/base/descriptor_identity.hpp: whatever is
// open under a number passes for what was opened there, and low numbers are as good as others.
#pragma once

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace faultline::detail {

class descriptor_identity {
 public:
  descriptor_identity() noexcept = default;
  [[nodiscard]] static descriptor_identity of(int descriptor) noexcept {
    descriptor_identity result;
    result.known_ = descriptor >= 0;
    return result;
  }
  [[nodiscard]] bool is_at(int descriptor) const noexcept { return known_ && descriptor >= 0; }

 private:
  bool known_ = false;
};

[[nodiscard]] inline int above_standard_streams(int descriptor) noexcept { return descriptor; }

} // namespace faultline::detail
