// The names of the files that a rotation leaves behind.
//
//   PATH ──► PATH.1 ──► PATH.2 ──► … ──► PATH.keep ──► PATH.(keep + 1), removed when PATH took a write
//
// Each may have the ending .zst as well: a file that was compressed, and for a moment both.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "base/system_calls.hpp"

namespace faultline::detail {

/// True where both describe one file.
[[nodiscard]] inline bool is_same_file(const struct ::stat& a, const struct ::stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// A lock that another process holds longer than this without going on is reported.
inline constexpr std::chrono::nanoseconds other_process_patience = std::chrono::minutes(1);

/// Throws std::system_error for `error`, with `what` and the quoted path.
[[noreturn]] void throw_file_error(int error, const char* what, const std::string& path);

/// Renames and removes by name only: a symbolic link is moved, never followed. Not synchronised.
class rotated_files {
 public:
  /// `calls` must outlive it.
  rotated_files(std::string path, std::size_t keep, const system_calls& calls)
      : path_(std::move(path)), keep_(keep), calls_(calls) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::size_t keep() const noexcept { return keep_; }
  [[nodiscard]] std::string plain(std::size_t index) const { return path_ + '.' + std::to_string(index); }
  [[nodiscard]] std::string compressed(std::size_t index) const { return plain(index) + ".zst"; }

  /// Moves PATH.1 and those after it, up to the first gap, on by one, the last first. Returns how many
  /// indexes moved. Nothing is removed but what an earlier rotation left at keep + 1. Throws
  /// std::system_error; then a gap is left where it stopped, and the next call moves only what lies before
  /// it, so that calls that fail do not push old files out.
  std::size_t shift();

  /// Removes what was moved beyond `keep`. Throws std::system_error.
  void remove_surplus();

  /// The least index whose file is not compressed, 0 if there is none. Throws std::system_error.
  [[nodiscard]] std::size_t first_plain() const;

  /// Facts about a name itself; false where there is none. Throws std::system_error.
  [[nodiscard]] bool look_at(const std::string& name, struct ::stat& facts) const;

 private:
  [[nodiscard]] bool exists(const std::string& name) const;
  void move(const std::string& from, const std::string& to) const;

  const std::string path_;
  const std::size_t keep_;
  const system_calls& calls_;
};

} // namespace faultline::detail
