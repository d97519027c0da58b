#include "handlers/stream_handler.hpp"

#include <memory>

#include <fcntl.h>

#include <faultline/configuration_error.hpp>

namespace faultline {

int detail::descriptor_of(std::FILE* stream) {
  if (stream == nullptr) throw configuration_error("stream", "null", "there is no stream");
  const int descriptor = ::fileno(stream);
  if (descriptor < 0)
    throw configuration_error("stream", "no descriptor", "the stream writes to no descriptor");
  if (const int flags = ::fcntl(descriptor, F_GETFL); flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
    throw configuration_error("stream", "descriptor " + std::to_string(descriptor),
                              "it is open for reading only");
  // What the program printed before keeps its place. A failure is the stream's owner's to see.
  (void)std::fflush(stream);
  return descriptor;
}

handler_ptr make_stream_handler(std::FILE* stream) {
  return std::make_shared<detail::stream_handler>(detail::descriptor_of(stream),
                                                  detail::calls_without_waiting());
}

} // namespace faultline
