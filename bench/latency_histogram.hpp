// A latency recorder: a log-linear histogram, as HdrHistogram's. Values below 256 have a bucket each; above,
// each power of two is divided into 128 equal buckets, so that a value is known to better than 1 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bench {

class latency_histogram {
 public:
  /// Counts one value. Values beyond `largest` count as it. No allocation, no branch that depends on what was
  /// recorded before.
  void record(std::uint64_t value) noexcept {
    value = std::min(value, largest);
    ++counts_[bucket_of(value)];
    ++total_;
    greatest_ = std::max(greatest_, value);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return total_; }
  /// The greatest value recorded, exactly.
  [[nodiscard]] std::uint64_t max() const noexcept { return greatest_; }

  /// The smallest value such that `percent` of all values are at most it: the middle of its bucket, at most
  /// `max()`. 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t percentile(double percent) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(total_) * percent / 100));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(middle_of(i), greatest_);
    }
    return greatest_;
  }

  void clear() noexcept { *this = latency_histogram(); }

  static constexpr std::uint64_t largest = (std::uint64_t{1} << 40) - 1;

 private:
  static constexpr unsigned linear_bits = 8; // 256 buckets of one
  static constexpr std::size_t half = std::size_t{1} << (linear_bits - 1);

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= linear_bits) return static_cast<std::size_t>(value);
    const unsigned shift = width - linear_bits; // the value has `linear_bits` significant bits left
    return half * shift + static_cast<std::size_t>(value >> shift);
  }

  static constexpr std::uint64_t middle_of(std::size_t bucket) noexcept {
    if (bucket < 2 * half) return bucket;
    const auto shift = static_cast<unsigned>(bucket / half - 1);
    const std::uint64_t first = static_cast<std::uint64_t>(bucket - half * shift) << shift;
    return first + (std::uint64_t{1} << (shift - 1));
  }

  std::array<std::uint64_t, half*(40 - linear_bits + 2)> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t greatest_ = 0;
};

} // namespace bench
