// A whole file through zstd, where the library was built with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/system_calls.hpp"

namespace faultline::detail {

/// Whether this build has zstd.
[[nodiscard]] bool can_compress() noexcept;

/// Reads `from` to its end and writes it to `to` as one zstd frame with a checksum, a slice at a time.
/// Returns the bytes it read; nothing as soon as `cancelled` is seen between two slices. Throws
/// std::system_error; then what is in `to` is worth nothing. Precondition: can_compress().
[[nodiscard]] std::optional<std::uint64_t> compress_file(int from, int to, const std::atomic<bool>& cancelled,
                                                         const system_calls& calls);

} // namespace faultline::detail
