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
/// a pipe, or a file that is open for appending alone. Of nothing, with errno, for all else: a data file, a
/// connection.
[[nodiscard]] descriptor_identity output_stream_at(int descriptor) noexcept;

/// Whether it is standard output's or standard error's number, and the program was started without that: what
/// has the number now came by it unasked.
[[nodiscard]] bool was_closed_at_load(int descriptor) noexcept;

/// What standard error is, for a runtime that is made now: what the program was started with or, by a
/// redirection since, a file that is open for writing alone or another output stream. Of nothing otherwise.
[[nodiscard]] descriptor_identity standard_error_now() noexcept;

} // namespace faultline::detail
