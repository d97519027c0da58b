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

/// The cursor does not stand open for the node's core: attaches the thread, switches to its buffers in
/// another runtime, starts a forked child afresh; or counts the statement and returns null.
[[gnu::cold]] cursor* open_cursor(const node_head& node) noexcept;

/// The segment is full: goes on in the next one, forgetting what it held. Null, counted, when the record can
/// never fit.
[[gnu::cold]] std::byte* make_room(cursor& c, std::size_t bytes) noexcept;

/// The dictionary is full: counts the record as lost and opens the cursor again.
[[gnu::cold]] void refuse(cursor& c) noexcept;

/// A committed record whose level concerns a scope, a handler or nobody: triggers, the pass path, the end of
/// records that no scope holds. Opens the cursor again.
void attend(cursor& c, const node_head& node, std::byte* record) noexcept;

/// The time stamp counter, or CLOCK_MONOTONIC where that is not invariant.
[[nodiscard]] std::uint64_t read_clock_slowly(const cursor& c) noexcept;

[[nodiscard, gnu::always_inline]] inline std::uint64_t read_clock(const cursor& c) noexcept {
#if defined(__x86_64__)
  if (c.clock_source == 0) [[likely]]
    return __rdtsc();
#endif
  return read_clock_slowly(c);
}

/// Appends one record. The order of stores on the cursor is the protocol with signal handlers of the same
/// thread: `open` goes null before anything else changes and comes back after everything did.
///
/// Not inlined: statements with the same argument types share it, and a call site stays small. By value,
/// because wires are scalars or two words.
template <bool LevelAtRunTime, class... Wire>
[[gnu::noinline]] void append(const node_head& node, site& where, level_mask bit, Wire... wire) noexcept {
  using codes = signature<Wire...>;
  static_assert(codes::bytes <= 960,
                "the arguments of a statement take at most 940 bytes, strings not counted");
  static_assert(sizeof...(Wire) <= 64, "a statement has at most 64 arguments");
  cursor* c = current_cursor;
  if (c->open.load(std::memory_order_relaxed) != node.owner) [[unlikely]] {
    c = open_cursor(node);
    if (c == nullptr) return;
  }
  c->open.store(nullptr, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);

  std::size_t bytes = round_up_8(codes::bytes);
  if constexpr (!codes::fixed) {
    std::size_t left = c->record_bytes - codes::bytes;
    (fit(wire, c->argument_bytes, left), ...);
    bytes = round_up_8(codes::bytes + (variable_bytes(wire) + ...));
  }
  std::byte* record = c->head;
  if (bytes > static_cast<std::size_t>(c->end - record)) [[unlikely]] {
    record = make_room(*c, bytes);
    if (record == nullptr) return refuse(*c);
  }
  std::uint64_t word = where.word.load(std::memory_order_acquire);
  if (word == 0) [[unlikely]] {
    word = enter_site(where, codes::codes.data,
                      codes::fixed ? static_cast<std::uint16_t>(bytes) : std::uint16_t{0});
    if (word == 0) return refuse(*c);
  }
  if constexpr (!codes::fixed) word |= static_cast<std::uint64_t>(bytes) << 16;
  if constexpr (LevelAtRunTime) word |= bit;
  const std::uint64_t time = c->reads_clock ? read_clock(*c) : c->time;
  std::memcpy(record, &word, sizeof word);
  std::memcpy(record + 8, &time, sizeof time);
  std::memcpy(record + 16, &node.id, sizeof node.id);
  [[maybe_unused]] std::byte* at = record + header_bytes;
  ((at = put(at, wire)), ...);

  c->head = record + bytes;
  ++c->logged;
  const auto mask = static_cast<level_mask>(c->trip_mask | node.pass_mask.load(std::memory_order_relaxed));
  if ((mask & static_cast<level_mask>(word)) != 0) [[unlikely]]
    return attend(*c, node, record);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c->open.store(node.owner, std::memory_order_relaxed);
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
    append<LevelAtRunTime>(node, where, bit, capture.wire...);
  }(captured<Args>(where, Index, args)...);
}

/// The statement behind the macros: `format` was checked by the compiler and is in the site already.
template <bool LevelAtRunTime, class... Args>
[[gnu::always_inline]] inline void write(const node_head& node, site& where, level_mask bit,
                                         format_for<Args...> /*format*/, const Args&... args) noexcept {
  if constexpr ((raw_argument<Args> && ...))
    append<LevelAtRunTime>(node, where, bit, to_wire(args)...);
  else
    append_captured<LevelAtRunTime>(node, where, bit, std::make_integer_sequence<unsigned, sizeof...(Args)>{},
                                    args...);
}

} // namespace faultline::detail
