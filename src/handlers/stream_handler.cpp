#include "handlers/stream_handler.hpp"

#include <cerrno>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "base/output_stream.hpp"

namespace faultline {

int detail::descriptor_of(std::FILE* stream) {
  if (stream == nullptr) throw configuration_error("stream", "null", "there is no stream");
  const int descriptor = ::fileno(stream);
  if (descriptor < 0)
    throw configuration_error("stream", "no descriptor", "the stream writes to no descriptor");
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0)
    throw configuration_error("stream", "descriptor " + std::to_string(descriptor),
                              "it is closed: what is opened next would get its number");
  if (was_closed_at_load(descriptor) && !output_stream_at(descriptor).is_known())
    throw configuration_error("stream", "descriptor " + std::to_string(descriptor),
                              "it was closed when the program began: what has its number is something else");
  if ((flags & O_ACCMODE) == O_RDONLY)
    throw configuration_error("stream", "descriptor " + std::to_string(descriptor),
                              "it is open for reading only");
  // What the program printed before keeps its place. A failure is the stream's owner's to see.
  (void)std::fflush(stream);
  return descriptor;
}

void detail::stream_handler::reopen() {
  if (own().is_open(calls())) return end_absence();
  const descriptor_identity present = output_stream_at(descriptor());
  if (!present.is_known())
    throw std::system_error(errno, std::generic_category(),
                            name() +
                                ": not taken for an output stream: it is closed or open on something else");
  if (!text_spool().at_boundary()) report_dropped(text_spool().drop_front()); // its begin is elsewhere
  set_descriptor({descriptor(), present});
  end_absence();
}

bool detail::stream_handler::regain_target(struct ::stat& facts) {
  return is_null_device(facts) || text_handler::regain_target(facts);
}

handler_ptr detail::make_default_target() {
  (void)std::fflush(stderr);
  return std::make_shared<stream_handler>(own_descriptor{STDERR_FILENO, standard_error_now()},
                                          calls_without_waiting());
}

handler_ptr make_stream_handler(std::FILE* stream) {
  return std::make_shared<detail::stream_handler>(detail::descriptor_of(stream),
                                                  detail::calls_without_waiting());
}

} // namespace faultline
