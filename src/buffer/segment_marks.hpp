// What the ledger has of the records in a part of a buffer.
#pragma once

#include <cstdint>

namespace faultline::detail {

/// Of one segment.
struct segment_marks {
  std::uint64_t first_logged;              ///< the cursor's count when the segment began
  std::uint32_t passed, handed_over, lost; ///< records in it that are settled as such
  [[nodiscard]] std::uint64_t settled() const noexcept { return std::uint64_t{passed} + handed_over + lost; }
};

/// Of records that no hand-over took: how many are not settled, and how many are settled otherwise.
struct unsettled_records {
  std::uint64_t plain = 0;
  std::uint64_t passed = 0;
  std::uint64_t lost = 0;
  [[nodiscard]] bool is_empty() const noexcept { return (plain | passed | lost) == 0; }
};

} // namespace faultline::detail
