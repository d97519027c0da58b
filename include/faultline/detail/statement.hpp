// What a logging statement does on its thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <faultline/detail/checked_format.hpp>
#include <faultline/detail/codec.hpp>
#include <faultline/detail/cursor.hpp>
#include <faultline/detail/node.hpp>
#include <faultline/detail/site.hpp>

namespace faultline::detail {

// The slow paths, in the compiled library. All run on the logging thread.

/// Does what a statement could not do at once: attaches the thread, switches to its buffers in another
/// runtime, starts a forked child afresh, or goes on in the buffer's next segment. False when there can be no
/// record, which is counted; true when the statement should try again.
[[gnu::cold]] bool prepare(const node_head& node, std::size_t bytes) noexcept;

/// A committed record that asks for more: its site is not in the dictionary yet, or its level concerns a
/// scope, a handler or nobody (triggers, the pass path, the end of records that no scope holds). Opens the
/// cursor again.
void attend(const node_head& node, cursor& c, std::byte* record, site& where, const char* codes,
            std::uint16_t fixed_bytes) noexcept;

/// A reading of the runtime's real clock.
[[nodiscard]] std::uint64_t read_clock(const cursor& c) noexcept;

/// The rare rest of a statement: `prepare`, and again. Apart, and called last, so that the statement itself
/// keeps nothing across a call and needs no stack.
template <bool LevelAtRunTime, bool ReadsClock, class... Wire>
[[gnu::noinline, gnu::cold]] void append_slowly(const node_head& node, site& where, level_mask bit,
                                                std::size_t bytes, Wire... wire) noexcept;

/// Appends one record. The order of stores on the cursor is the protocol with signal handlers of the same
/// thread: `open` goes null before anything else is read or changed and comes back after everything was.
///
/// Not inlined: statements with the same argument types share it, and a call site stays small. By value,
/// because wires are scalars or two words. The variant that reads the clock is apart, so that the other has
/// nothing to keep out of rdtsc's registers.
template <bool LevelAtRunTime, bool ReadsClock, class... Wire>
[[gnu::noinline]] void append(const node_head& node, site& where, level_mask bit, Wire... wire) noexcept {
  using codes = signature<Wire...>;
  static_assert(codes::bytes <= 960,
                "the arguments of a statement take at most 940 bytes, strings not counted");
  static_assert(sizeof...(Wire) <= 64, "a statement has at most 64 arguments");
  cursor* const c = current_cursor;
  const core* const owner = node.owner;
  if (c->open.load(std::memory_order_relaxed) != owner) [[unlikely]]
    return append_slowly<LevelAtRunTime, ReadsClock>(node, where, bit, 0, wire...);

  std::uint64_t time = 0;
  if constexpr (ReadsClock) {
#if defined(__x86_64__)
    time = c->clock == statement_clock::tsc ? __rdtsc() : read_clock(*c);
#else
    time = read_clock(*c);
#endif
  } else {
    if (c->clock != statement_clock::scope) return append<LevelAtRunTime, true>(node, where, bit, wire...);
    time = c->time;
  }

  std::size_t bytes = round_up_8(codes::bytes);
  std::uint64_t word = where.word.load(std::memory_order_acquire);
  if constexpr (!codes::fixed) {
    std::size_t left = c->record_bytes - codes::bytes;
    (fit(wire, c->argument_bytes, left), ...);
    bytes = round_up_8(codes::bytes + (variable_bytes(wire) + ...));
    word |= static_cast<std::uint64_t>(bytes) << 16;
  }
  if constexpr (LevelAtRunTime) word |= bit;

  c->open.store(nullptr, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::byte* const record = c->head;
  std::byte* const end = record + bytes;
  if (end > c->end) [[unlikely]] {
    c->open.store(owner, std::memory_order_relaxed);
    return append_slowly<LevelAtRunTime, ReadsClock>(node, where, bit, bytes, wire...);
  }
  std::memcpy(record, &word, sizeof word);
  std::memcpy(record + 8, &time, sizeof time);
  std::memcpy(record + 16, &node.id, sizeof node.id);
  [[maybe_unused]] std::byte* at = record + header_bytes;
  ((at = put(at, wire)), ...);

  c->head = end;
  ++c->logged;
  const auto mask = static_cast<level_mask>(c->trip_mask | node.pass_mask.load(std::memory_order_relaxed));
  if ((mask & static_cast<level_mask>(word)) != 0) [[unlikely]]
    return attend(node, *c, record, where, codes::codes.data,
                  codes::fixed ? static_cast<std::uint16_t>(round_up_8(codes::bytes)) : std::uint16_t{0});
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c->open.store(owner, std::memory_order_relaxed);
}

template <bool LevelAtRunTime, bool ReadsClock, class... Wire>
void append_slowly(const node_head& node, site& where, level_mask bit, std::size_t bytes,
                   Wire... wire) noexcept {
  // A string that was cut once is cut to the same bound again.
  if (prepare(node, bytes)) append<LevelAtRunTime, ReadsClock>(node, where, bit, wire...);
}

/// Formats argument `index` of the site's format with the specification it has there. Returns the text's
/// length, of which at most `size` bytes are in `out`; what a formatter throws becomes the text.
[[gnu::cold]] std::size_t format_argument(const site& where, unsigned index, char* out, std::size_t size,
                                          fmt::format_args argument) noexcept;

/// An argument on its way into `append`: raw as it is, any other formatted into scratch memory on the stack.
template <class T> struct captured {
  decltype(to_wire(std::declval<const T&>())) wire;
  captured(const site&, unsigned, const T& value) noexcept : wire(to_wire(value)) {}
};
template <class T>
requires(!raw_argument<T>) struct captured<T> {
  char scratch[scratch_bytes];
  formatted_text wire;
  captured(const site& where, unsigned index, const T& value) noexcept {
    const std::size_t size =
        format_argument(where, index, scratch, sizeof scratch, fmt::make_format_args(value));
    wire.data = scratch;
    wire.size = size <= sizeof scratch ? size : sizeof scratch | cut_before;
  }
};

template <bool LevelAtRunTime, unsigned... Index, class... Args>
void append_captured(const node_head& node, site& where, level_mask bit,
                     std::integer_sequence<unsigned, Index...>, const Args&... args) noexcept {
  [&](const auto&... capture) {
    append<LevelAtRunTime, false>(node, where, bit, capture.wire...);
  }(captured<Args>(where, Index, args)...);
}

/// The statement behind the macros: `format` was checked by the compiler and is in the site already.
template <bool LevelAtRunTime, class... Args>
[[gnu::always_inline]] inline void write(const node_head& node, site& where, level_mask bit,
                                         format_for<Args...> /*format*/, const Args&... args) noexcept {
  if constexpr ((raw_argument<Args> && ...))
    append<LevelAtRunTime, false>(node, where, bit, to_wire(args)...);
  else
    append_captured<LevelAtRunTime>(node, where, bit, std::make_integer_sequence<unsigned, sizeof...(Args)>{},
                                    args...);
}

} // namespace faultline::detail
