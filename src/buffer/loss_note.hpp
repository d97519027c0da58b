// What a thread lost last, for the line that says so.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "buffer/context_block.hpp"

namespace faultline {
class handler;
}

namespace faultline::detail {

/// What a thread cannot do for want of room, or does not do because a scope was used wrongly. Each has a
/// count in slot_counts.
enum class loss_kind : std::uint8_t {
  outbox_full,     ///< a record that is always written
  no_buffer,       ///< the context of a failure
  scope_refused,   ///< a scope beyond the bounds holds nothing
  scope_abandoned, ///< a scope around it ended first
  scope_moved,     ///< a scope ended on another thread; noted by that one
};
inline constexpr std::size_t loss_kinds = 5;
[[nodiscard]] constexpr std::size_t index_of(loss_kind kind) noexcept {
  return static_cast<std::size_t>(kind);
}

/// The latest loss of a kind.
struct loss {
  std::uint32_t site = 0;                                   ///< 0: no record
  std::uint32_t logger = 0;                                 ///< id; 0: not known
  handler* target = nullptr;                                ///< null: the handlers of the logger
  std::array<char, context_block::longest_name + 1> name{}; ///< the scope's; ends with a zero
};

/// The name as far as there is room, which a scope's own bound leaves.
inline void copy_name(std::string_view name, loss& latest) noexcept {
  const std::size_t bytes = std::min(name.size(), latest.name.size() - 1);
  if (bytes > 0) std::memcpy(latest.name.data(), name.data(), bytes);
}

/// A loss that its thread overwrites while the flusher may read it: a sequence lock of one writer, whose
/// version is odd while it writes. All is relaxed but for the fences' pairing: the reader takes what it read
/// only if the version was even and the same before and behind, or leaves it out.
class loss_note {
 public:
  /// The thread.
  void write(const loss& latest) noexcept {
    std::array<std::uint64_t, words> raw{};
    std::memcpy(raw.data(), &latest, sizeof latest);
    const std::uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    // Release: a reader that sees one of these words sees the odd version.
    for (std::size_t i = 0; i < words; ++i) words_[i].store(raw[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release); // pairs with the first load of `read`
  }
  /// The flusher. False when there is none, or it is being written.
  [[nodiscard]] bool read(loss& latest) const noexcept {
    const std::uint32_t before = version_.load(std::memory_order_acquire);
    if (before == 0 || (before & 1U) != 0) return false;
    std::array<std::uint64_t, words> raw{};
    for (std::size_t i = 0; i < words; ++i)
      raw[i] = words_[i].load(std::memory_order_acquire); // pairs with the stores of `write`
    if (version_.load(std::memory_order_relaxed) != before) return false;
    std::memcpy(static_cast<void*>(&latest), raw.data(), sizeof latest);
    return true;
  }

 private:
  static constexpr std::size_t words = (sizeof(loss) + 7) / 8;
  std::atomic<std::uint32_t> version_{0};                 // see the class
  std::array<std::atomic<std::uint64_t>, words> words_{}; // see the class
};

} // namespace faultline::detail
