// The handler that appends to a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"
#include "handlers/text_handler.hpp"

namespace faultline::detail {

/// Opens `path` for appending, as a log may be written: no symbolic link as the last part of the path, no
/// waiting for a FIFO's reader, and only a regular file that has one name and belongs to the effective user,
/// or a character device such as /dev/null. The checks are made on the open descriptor, so the path cannot
/// change between check and use, and before anything is emptied. Another owner's file is refused for root as
/// well: a log in a shared folder, prepared by somebody else, would be theirs to read.
/// Returns the descriptor, whose number is above those of the standard streams; throws std::system_error
/// whose what() names the path.
[[nodiscard]] own_descriptor open_log_file(const std::string& path, unsigned mode, bool empty_it,
                                           const system_calls& calls);

/// The path from the root on, so that it names the same file after a chdir; links and dots stay. Throws
/// std::system_error for a relative path where there is no working directory.
[[nodiscard]] std::string absolute_path(std::string_view path);

class file_handler : public text_handler {
 public:
  /// Throws `configuration_error` for an empty path, a path with a null character, a mode above 07777 and
  /// for `spool_bytes` 0, and what absolute_path and open_log_file throw. `calls` must outlive the handler.
  file_handler(std::string_view path, const file_options& options, const system_calls& calls,
               std::size_t records_an_entry = SIZE_MAX);
  ~file_handler() override;

  /// Opens the path anew, never emptying it. If that fails it throws and the old descriptor stays. An entry
  /// that is written in part is completed in the old file first; what was not begun goes to the new one.
  void reopen() override;

 protected:
  [[nodiscard]] std::size_t prepare_write(struct ::stat& facts) override;
  /// Opens the path anew, or waits; the rest of an entry that was begun in another file is lost.
  [[nodiscard]] bool regain_target(struct ::stat& facts) override;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] unsigned mode() const noexcept { return mode_; }

 private:
  struct checked_path {
    std::string text; ///< absolute
  };
  [[nodiscard]] static checked_path check(std::string_view path, const file_options& options);
  file_handler(checked_path path, const file_options& options, const system_calls& calls,
               std::size_t records_an_entry);

  void write_to_next() noexcept;

  const std::string path_;
  const unsigned mode_;
  own_descriptor next_; ///< the one that reopen made, while the old one has an entry to complete
};

} // namespace faultline::detail
