#include <cerrno>
#include <memory>
#include <string>

#include <fcntl.h>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "handlers/text_handler.hpp"

namespace faultline {
namespace detail {
namespace {

/// Writes to a descriptor that belongs to somebody else. The number is kept, not a duplicate of it, so that a
/// program that later puts another file behind standard error has its records there too.
class stream_handler final : public text_handler {
 public:
  explicit stream_handler(int stream_descriptor)
      : text_handler("descriptor " + std::to_string(stream_descriptor), file_options{}.spool_bytes,
                     real_system_calls()) {
    set_descriptor(stream_descriptor);
  }
  ~stream_handler() override { finish(); }
};

} // namespace
} // namespace detail

handler_ptr make_stream_handler(std::FILE* stream) {
  if (stream == nullptr) throw configuration_error("stream", "null", "there is no stream");
  const int descriptor = ::fileno(stream);
  if (descriptor < 0)
    throw configuration_error("stream", "no descriptor", "the stream writes to no descriptor");
  if (const int flags = ::fcntl(descriptor, F_GETFL); flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
    throw configuration_error("stream", "descriptor " + std::to_string(descriptor),
                              "it is open for reading only");
  // What the program printed before keeps its place. A failure is the stream's owner's to see.
  (void)std::fflush(stream);
  return std::make_shared<detail::stream_handler>(descriptor);
}

} // namespace faultline
