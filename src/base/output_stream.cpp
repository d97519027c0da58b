#include "base/output_stream.hpp"

#include <array>

namespace faultline::detail {
namespace {

/// What standard output and standard error were when the library was loaded, before `main`.
const std::array<descriptor_identity, 2>& streams_at_load() noexcept {
  static const std::array streams = {descriptor_identity::of(STDOUT_FILENO),
                                     descriptor_identity::of(STDERR_FILENO)};
  return streams;
}

/// Asked for at once: a logger of a file that is initialised before this one asks itself.
[[maybe_unused]] const auto& noted = streams_at_load();

bool is_file_for_writing(int descriptor, const struct ::stat& facts) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return S_ISREG(facts.st_mode) && flags >= 0 && (flags & O_ACCMODE) == O_WRONLY;
}

} // namespace

descriptor_identity output_stream_at(int descriptor) noexcept {
  struct ::stat facts {};
  if (::fstat(descriptor, &facts) != 0) return {};
  const bool appends =
      is_file_for_writing(descriptor, facts) && (::fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
  if (appends || S_ISCHR(facts.st_mode) || S_ISFIFO(facts.st_mode)) return descriptor_identity(facts);
  errno = EBADF;
  return {};
}

bool was_closed_at_load(int descriptor) noexcept {
  return (descriptor == STDOUT_FILENO || descriptor == STDERR_FILENO) &&
         !streams_at_load()[descriptor == STDOUT_FILENO ? 0 : 1].is_known();
}

descriptor_identity standard_error_now() noexcept {
  const descriptor_identity at_load = streams_at_load()[1];
  if (at_load.is_at(STDERR_FILENO)) return at_load;
  struct ::stat facts {};
  if (at_load.is_known() && ::fstat(STDERR_FILENO, &facts) == 0 && is_file_for_writing(STDERR_FILENO, facts))
    return descriptor_identity(facts);
  return output_stream_at(STDERR_FILENO);
}

} // namespace faultline::detail
