// The handler that writes to a descriptor of somebody else's.
#pragma once

#include <cstdio>
#include <string>

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"
#include "handlers/text_handler.hpp"

namespace faultline::detail {

/// The stream's descriptor, after what was printed to it is put out. Throws `configuration_error` for null
/// and for a stream that has no descriptor or is open for reading only.
[[nodiscard]] int descriptor_of(std::FILE* stream);

/// The number is kept, not a duplicate of it, so that a program that later puts another file behind standard
/// error has its records there too.
class stream_handler final : public text_handler {
 public:
  /// `calls` must outlive it.
  stream_handler(int stream_descriptor, const system_calls& calls)
      : text_handler("descriptor " + std::to_string(stream_descriptor), file_options{}.spool_bytes, calls) {
    set_descriptor(stream_descriptor);
  }
  ~stream_handler() override { finish(); }
};

} // namespace faultline::detail
