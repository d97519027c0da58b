// The handler that appends to a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"
#include "handlers/text_handler.hpp"

namespace faultline::detail {

/// Opens `path` for appending, as a log may be written: no symbolic link as the last part of the path, no
/// waiting for a FIFO's reader, and only a regular file that has one name and belongs to the effective user,
/// or a character device such as /dev/null. The checks are made on the open descriptor, so the path cannot
/// change between check and use, and before anything is emptied. Another owner's file is refused for root as
/// well: a log in a shared folder, prepared by somebody else, would be theirs to read.
/// Returns the descriptor; throws std::system_error whose what() names the path.
[[nodiscard]] int open_log_file(const std::string& path, unsigned mode, bool empty_it,
                                const system_calls& calls);

/// Keeps a descriptor from leaking while something may throw.
class descriptor_guard {
 public:
  descriptor_guard(int descriptor, const system_calls& calls) noexcept
      : descriptor_(descriptor), calls_(calls) {}
  descriptor_guard(const descriptor_guard&) = delete;
  descriptor_guard& operator=(const descriptor_guard&) = delete;
  ~descriptor_guard() { reset(-1); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }
  void reset(int descriptor) noexcept {
    if (descriptor_ >= 0) (void)calls_.close(descriptor_);
    descriptor_ = descriptor;
  }

 private:
  int descriptor_;
  const system_calls& calls_;
};

class file_handler : public text_handler {
 public:
  /// Throws `configuration_error` for an empty path, a path with a null character, a mode above 07777 and
  /// for `spool_bytes` 0, and what open_log_file throws. `calls` must outlive the handler.
  file_handler(std::string_view path, const file_options& options, const system_calls& calls,
               std::size_t records_an_entry = SIZE_MAX);
  ~file_handler() override;

  /// Opens the path anew, never emptying it. If that fails it throws and the old descriptor stays. An entry
  /// that is written in part is completed in the old file first; what was not begun goes to the new one.
  void reopen() override;

 protected:
  [[nodiscard]] std::size_t prepare_write() override;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] unsigned mode() const noexcept { return mode_; }

 private:
  void close_descriptor(int& descriptor) noexcept;

  const std::string path_;
  const unsigned mode_;
  int next_ = -1; ///< the descriptor that reopen made, while the old one has an entry to complete
};

} // namespace faultline::detail
