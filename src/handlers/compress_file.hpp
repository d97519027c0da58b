// A whole file through zstd, where the library was built with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/system_calls.hpp"
#include "handlers/own_descriptor.hpp"

namespace faultline::detail {

/// Whether this build has zstd.
[[nodiscard]] bool can_compress() noexcept;

/// Reads `from` to its end and writes it to `to` as one zstd frame with a checksum, a slice at a time.
/// Returns the bytes it read; nothing as soon as `cancelled` is seen between two slices. Throws
/// std::system_error; then what is in `to` is worth nothing. So it does where one of them is closed or open
/// on something else, which is neither read nor written. Precondition: can_compress().
[[nodiscard]] std::optional<std::uint64_t> compress_file(const own_descriptor& from, const own_descriptor& to,
                                                         const std::atomic<bool>& cancelled,
                                                         const system_calls& calls);

} // namespace faultline::detail
