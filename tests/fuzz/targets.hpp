// The fuzz targets. Each looks at one input, whatever its bytes are, and throws `finding` where a promise
// does not hold; a sanitizer may stop it before. No target keeps state between inputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace faultline::fuzz {

int fuzz_codec(const std::uint8_t* data, std::size_t size);    ///< what is encoded is what is decoded
int fuzz_decoder(const std::uint8_t* data, std::size_t size);  ///< hostile codes, formats and bytes
int fuzz_pattern(const std::uint8_t* data, std::size_t size);  ///< the pattern language and its lines
int fuzz_escaping(const std::uint8_t* data, std::size_t size); ///< text made harmless
int fuzz_json(const std::uint8_t* data, std::size_t size);     ///< JSON that reads back
int fuzz_mail(const std::uint8_t* data, std::size_t size);     ///< a mail's header and body
int fuzz_syslog(const std::uint8_t* data, std::size_t size);   ///< RFC 5424 messages and their framing
int fuzz_settings(const std::uint8_t* data, std::size_t size); ///< keys, values, JSON, the environment
int fuzz_format(const std::uint8_t* data, std::size_t size);   ///< deferred formatting against fmt's own

/// A target by its name, which is also its corpus's folder.
struct target {
  std::string_view name;
  int (*run)(const std::uint8_t* data, std::size_t size);
};

} // namespace faultline::fuzz
