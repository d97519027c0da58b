// The dictionary: site id → the statement's static facts, copied.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <faultline/detail/site.hpp>
#include <faultline/record.hpp>

#include "base/mapping.hpp"

namespace faultline::detail {

/// One site's facts; the strings lie in the dictionary's own memory and end with NUL.
struct dictionary_entry {
  site_facts facts;
  std::string_view types;
  faultline::level level;
};

/// Append-only and wait-free: entering a site reserves memory and an id by fetch_add, fills the entry and
/// publishes it by a release store. One for the process, never destroyed: ids are never reused, also when a
/// library comes and goes.
class dictionary {
 public:
  static dictionary& instance();

  explicit dictionary(std::size_t most_sites = std::size_t{1} << 18,
                      std::size_t bytes = std::size_t{64} << 20);

  /// The site's word, entering it if need be. Any thread; `unentered` when there is no room.
  std::uint64_t enter(site& s, std::string_view types, std::uint16_t record_bytes) noexcept;

  /// Null for an id that is not entered. Any thread that received the id with acquire ordering, and any with
  /// a guess.
  [[nodiscard]] dictionary_entry* find(std::uint32_t id) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return next_id_.load(std::memory_order_relaxed) - 1; }

 private:
  [[nodiscard]] std::byte* reserve(std::size_t bytes) noexcept;
  [[nodiscard]] std::string_view copy(const char* s, std::size_t size) noexcept;

  std::size_t most_sites_;
  mapping table_;
  mapping arena_;
  std::atomic<std::uint32_t> next_id_{1}; // relaxed: only distinctness matters
  std::atomic<std::size_t> reserved_{0};  // relaxed: only distinctness matters
};

} // namespace faultline::detail
