// The part of a logger's node that statements read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <faultline/detail/cursor.hpp>
#include <faultline/detail/site.hpp>
#include <faultline/level.hpp>

namespace faultline::detail {

/// What a statement of one level needs of its logger.
struct level_gate {
  /// The runtime whose records may be appended through here: the logger's own, or, where a handler up the
  /// tree wants records of this level as well, its address plus one, so that no thread's cursor equals it and
  /// the statement takes the slow path.
  std::atomic<const core_head*> key{nullptr};
  std::uint32_t logger_id = 0; ///< never reused within a core; below 2^24

  /// The runtime, whatever the key.
  [[nodiscard]] const core_head& owner() const noexcept {
    const core_head* const tagged = key.load(std::memory_order_relaxed);
    return *reinterpret_cast<const core_head*>(reinterpret_cast<const char*>(tagged) -
                                               (reinterpret_cast<std::uintptr_t>(tagged) & 1U));
  }
  void open_for(const core_head& core, bool passes) noexcept {
    key.store(reinterpret_cast<const core_head*>(reinterpret_cast<const char*>(&core) + (passes ? 1 : 0)),
              std::memory_order_relaxed);
  }
};

/// The part of a logger's node that statements read: for levels up to info in one cache line. Written under
/// the registry's lock by whoever changes levels or handlers, read by any thread. Relaxed: a statement that
/// still sees the old value behaves as one that ran a moment earlier; no other data hangs on it.
struct alignas(64) node_head {
  std::atomic<level> threshold{level::debug}; ///< effective level, inherited or the node's own
  std::atomic<level_mask> pass_mask{0};       ///< levels that a handler up the tree wants
  std::atomic<level_mask> flush_mask{bits_from(level::error)}; ///< levels that trip its scopes by default
  std::uint32_t id = 0;
  const core_head* owner = nullptr;
  std::array<level_gate, 6> gates{};

  /// For any level but `off`.
  [[nodiscard, gnu::always_inline]] const level_gate& gate(level l) const noexcept {
    return gates[static_cast<std::size_t>(l)];
  }
};

/// What a logger points to before it is made, as one at namespace scope that a static object of another file
/// uses: at `off`, with an owner whose records no thread's cursor takes. A logger keeps its node's distance
/// from here, so that zeros, which such a logger is, mean this one.
FAULTLINE_API extern constinit node_head unmade_node;

// Where the compiler does not compare with an atomic's memory at once (GCC, for any order), the processor is
// told to. A byte or an aligned word is read whole, and these loads order nothing.
#if defined(__x86_64__) && defined(__LP64__) && defined(__GNUC__) && !defined(__clang__) &&                  \
    !defined(__SANITIZE_THREAD__)
[[nodiscard, gnu::always_inline]] inline bool is_on(const node_head& logger, level l) noexcept {
  bool on = false;
  asm volatile("cmp{b %b2, %1| %1, %b2}"
               : "=@ccbe"(on)
               : "m"(logger.threshold), "iq"(static_cast<std::uint8_t>(l)));
  return on;
}
[[nodiscard, gnu::always_inline]] inline bool is_open(const cursor& c, const core_head* key) noexcept {
  bool equal = false;
  asm volatile("cmp{q %2, %1| %1, %2}" : "=@cce"(equal) : "m"(c.open), "r"(key));
  return equal;
}
/// Whether a record with that first word has anything to attend to.
[[nodiscard, gnu::always_inline]] inline bool concerns(const cursor& c, std::uint64_t word) noexcept {
  bool some = false;
  asm volatile("test{b %b2, %1| %1, %b2}" : "=@ccnz"(some) : "m"(c.trip_mask), "q"(word));
  return some;
}
/// Nothing; it keeps the two in the registers in which they came, which saves their moves.
[[gnu::always_inline]] inline void stay(const level_gate& gate, const site& where) noexcept {
  asm volatile("" : : "D"(&gate), "S"(&where));
}
#else
[[nodiscard]] inline bool is_on(const node_head& logger, level l) noexcept {
  return logger.threshold.load(std::memory_order_relaxed) <= l;
}
[[nodiscard]] inline bool is_open(const cursor& c, const core_head* key) noexcept {
  return c.open.load(std::memory_order_relaxed) == key;
}
[[nodiscard]] inline bool concerns(const cursor& c, std::uint64_t word) noexcept {
  return (c.trip_mask & static_cast<level_mask>(word)) != 0;
}
inline void stay(const level_gate&, const site&) noexcept {}
#endif

} // namespace faultline::detail
