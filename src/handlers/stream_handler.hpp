// The handler that writes to a descriptor of somebody else's.
#pragma once

#include <cstdio>
#include <string>

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"
#include "handlers/text_handler.hpp"

namespace faultline::detail {

/// The stream's descriptor, after what was printed to it is put out. Throws `configuration_error` for null
/// and for a stream that has no descriptor, a closed one or one that is open for reading only.
[[nodiscard]] int descriptor_of(std::FILE* stream);

/// The number is kept, not a duplicate of it, so that what the program closes is closed. Records go to what
/// it was open on when the handler was made, and to the null device where that took its place.
class stream_handler final : public text_handler {
 public:
  /// Of a descriptor that is closed, or is not what it is to be, nothing is taken until `reopen`. `calls`
  /// must outlive the handler.
  stream_handler(int stream_descriptor, const system_calls& calls)
      : stream_handler({stream_descriptor, descriptor_identity::of(stream_descriptor)}, calls) {}
  stream_handler(const own_descriptor& stream, const system_calls& calls)
      : text_handler("descriptor " + std::to_string(stream.number), file_options{}.spool_bytes, calls) {
    set_descriptor(stream);
  }
  ~stream_handler() override { finish(); }

  /// Accepts what the number is open on now, if that is the output of a program (see output_stream_at);
  /// otherwise throws std::system_error, and what was accepted before stays so.
  void reopen() override;

 protected:
  [[nodiscard]] bool regain_target(struct ::stat& facts) override;
};

/// Standard error, see standard_error_now. Where that is nothing it is no error here, since nobody asked for
/// it: what is written is lost, counted and reported.
[[nodiscard]] handler_ptr make_default_target();

} // namespace faultline::detail
