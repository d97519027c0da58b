// Which of a thread's records a scope writes when it trips.
#pragma once

#include <cstdint>

#include "record/layout.hpp"

namespace faultline::detail {

/// A place among a thread's records: see buffer.hpp.
using position = std::uint64_t;

/// Of the records that a scope sees since its watermark it writes the last `capacity`, and its first ones,
/// but for those that its target has already.
struct scope_window {
  position from;           ///< the watermark, or where what is not forgotten begins
  position pins_from;      ///< pinned records between these two are its first
  position pins_to;        ///< 0 without any
  std::uint64_t first;     ///< so many from `from` on are its first as well
  std::uint64_t capacity;  ///< and so many its last
  std::uint8_t target_bit; ///< records with this bit have been written to the target

  [[nodiscard]] bool is_written(const record_reader& record) const noexcept {
    return (record.targets() & target_bit) != 0;
  }
  /// Whether that record is one of those of which the scope writes the first and the last.
  [[nodiscard]] bool holds(position where) const noexcept {
    return where >= from || (where >= pins_from && where < pins_to);
  }
};

/// The records of a window that are written: those before the one position, and those from the other on.
struct written_part {
  position first_to = 0;
  position last_from = UINT64_MAX;

  [[nodiscard]] bool has(position where) const noexcept { return where < first_to || where >= last_from; }
  [[nodiscard]] bool is_empty() const noexcept { return first_to == 0 && last_from == UINT64_MAX; }
};

/// `for_each(use)` calls `use(position)` for each record that the scope sees, oldest first.
template <class ForEach> written_part part_of(const scope_window& window, ForEach&& for_each) {
  written_part part{.first_to = window.from};
  std::uint64_t count = 0;
  std::uint64_t first = window.first;
  for_each([&](position where) {
    if (!window.holds(where)) return;
    ++count;
    if (where < window.from || first == 0) return;
    --first;
    part.first_to = where + 1;
  });
  std::uint64_t before = count > window.capacity ? count - window.capacity : 0;
  for_each([&](position where) {
    if (window.holds(where) && before-- == 0) part.last_from = where;
  });
  return part;
}

} // namespace faultline::detail
