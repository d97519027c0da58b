// What a logging statement does on its thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <faultline/detail/checked_format.hpp>
#include <faultline/detail/codec.hpp>
#include <faultline/detail/cursor.hpp>
#include <faultline/detail/encode.hpp>
#include <faultline/detail/node.hpp>
#include <faultline/detail/site.hpp>
#include <faultline/export.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline::detail {

// The slow paths, in the compiled library. All run on the logging thread.

/// Gives the thread an open cursor for the gate's runtime: attaches the thread, switches to its buffers in
/// another runtime, or starts a forked child afresh. A runtime that begins with it notes the site. Null, and
/// counted, when there can be no record now.
[[gnu::cold]] FAULTLINE_API cursor* prepare(const level_gate& gate, const site& where) noexcept;

/// Closes the cursor and returns where a record of that size goes, in the buffer's next segment if need be.
/// Null, with the cursor open again, and counted, when there is no room for it.
[[gnu::cold]] FAULTLINE_API std::byte* reserve(cursor& c, std::size_t bytes) noexcept;

/// A record that asks for more: its site is not in the dictionary yet, or its level concerns a scope, a
/// handler or nobody (triggers, the pass path, the end of records that no scope holds). `word` is the first
/// of the record, not stored yet. Opens the cursor again. The cursor is the statement's, not the thread's
/// present one: a signal handler that logged in another runtime may have changed that.
FAULTLINE_API void attend(const level_gate& gate, site& where, std::uint64_t word, std::byte* record,
                          const argument_types& types, cursor& c) noexcept;

/// What a statement adds to its site's word: nothing, where the level is the site's.
struct level_of_site {
  [[nodiscard]] static constexpr std::uint64_t bit() noexcept { return 0; }
};
struct level_at_run_time {
  level_mask mask;
  [[nodiscard]] constexpr std::uint64_t bit() const noexcept { return mask; }
};

/// False in constant evaluation, where a statement does nothing.
[[nodiscard, gnu::always_inline]] constexpr bool at_run_time() noexcept {
  return !__builtin_is_constant_evaluated();
}

/// A statement at run time: its logger and its level.
struct occurrence {
  const node_head& node;
  faultline::level level;

  [[nodiscard, gnu::always_inline]] bool is_on() const noexcept {
    return detail::is_on(node, level) && level < faultline::level::off;
  }
  [[nodiscard, gnu::always_inline]] const level_gate& gate() const noexcept { return node.gate(level); }
  [[nodiscard]] static constexpr detail::level_of_site level_of_site() noexcept { return {}; }
  [[nodiscard, gnu::always_inline]] detail::level_at_run_time level_at_run_time() const noexcept {
    return {bit_of(level)};
  }
};

/// Cuts strings to their bounds and returns the record's size; the same whenever it is called again.
template <class... Wire>
[[nodiscard, gnu::always_inline]] inline std::size_t measure(const cursor& c, Wire&... wire) noexcept {
  using codes = signature<Wire...>;
  if constexpr (codes::fixed) {
    return round_up_8(codes::bytes);
  } else {
    std::size_t left = c.record_bytes - codes::bytes;
    (fit(wire, c.argument_bytes, left), ...);
    return round_up_8(codes::bytes + (variable_bytes(wire) + ...));
  }
}

/// Writes all of a record but its word.
template <class... Wire>
[[gnu::always_inline]] inline void put_record(std::byte* record, const cursor& c, const level_gate& gate,
                                              const Wire&... wire) noexcept {
  [[maybe_unused]] std::byte* at = record + header_bytes;
  ((at = put(at, wire)), ...);
  std::memcpy(record + 16, &gate.logger_id, sizeof gate.logger_id);
  const std::uint64_t time = c.time.load(std::memory_order_relaxed);
  std::memcpy(record + 8, &time, sizeof time);
}

/// The record's word, but for what the level adds.
template <class... Wire>
[[nodiscard, gnu::always_inline]] inline std::uint64_t word_of(const site& where,
                                                               std::size_t bytes) noexcept {
  const std::uint64_t word = where.word.load(std::memory_order_acquire);
  return signature<Wire...>::fixed ? word : word | static_cast<std::uint64_t>(bytes) << 16;
}

/// A statement that does not find its thread ready, or its segment full, or whose record is always written.
/// Apart, and called last, so that `append` itself keeps nothing across a call and needs no stack.
template <class Level, class... Wire>
[[gnu::noinline, gnu::cold]] void append_slowly(const level_gate& gate, site& where, Level level,
                                                Wire... wire) noexcept {
  cursor* const c = prepare(gate, where);
  if (c == nullptr) return;
  const std::size_t bytes = measure(*c, wire...);
  std::byte* const record = reserve(*c, bytes);
  if (record == nullptr) return;
  put_record(record, *c, gate, wire...);
  c->head = record + bytes;
  ++c->logged;
  attend(gate, where, word_of<Wire...>(where, bytes) | level.bit(), record, signature<Wire...>::types, *c);
}

/// Appends one record. The order of stores on the cursor is the protocol with signal handlers of the same
/// thread: `open` goes null before the buffer is looked at or changed and comes back after everything was.
/// The record's word is stored last: for whoever reads after `open` came back, a record is there as a whole.
///
/// Not inlined: statements with the same argument types share it, and a call site stays small. By value,
/// because wires are scalars or two words.
template <class Level, class... Wire>
[[gnu::noinline]] void append(const level_gate& gate, site& where, Level level, Wire... wire) noexcept {
  using codes = signature<Wire...>;
  static_assert(codes::bytes <= 960,
                "the arguments of a statement take at most 940 bytes, strings not counted");
  static_assert(sizeof...(Wire) <= 64, "a statement has at most 64 arguments");
  cursor* const c = current_cursor;
  const core_head* const owner = gate.key.load(std::memory_order_relaxed);
  if (!is_open(*c, owner)) [[unlikely]]
    return append_slowly(gate, where, level, wire...);

  const std::size_t bytes = measure(*c, wire...);
  const std::uint64_t word = word_of<Wire...>(where, bytes) | level.bit();
  c->open.store(nullptr, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::byte* const record = c->head;
  std::byte* const end = record + bytes;
  if (end > c->end) [[unlikely]] {
    c->open.store(owner, std::memory_order_relaxed);
    return append_slowly(gate, where, level, wire...); // cuts strings to the same bounds again
  }
  put_record(record, *c, gate, wire...);
  c->head = end;
  ++c->logged;

  stay(gate, where);
  if (concerns(*c, word)) [[unlikely]] {
#if defined(__x86_64__)
    if (static_cast<level_mask>(c->trip_mask & word) != timed || c->clock == statement_clock::other)
      return attend(gate, where, word, record, codes::types, *c);
    // Inline, or the statement would have to keep what it needs across a call; <x86intrin.h> would take
    // longer to compile than all the rest.
    const std::uint64_t time = __builtin_ia32_rdtsc();
    std::memcpy(record + 8, &time, sizeof time);
#else
    return attend(gate, where, word, record, codes::types, *c);
#endif
  }
  // Relaxed: only the thread itself reads it before the buffer changes hands. Atomic so that it stays one
  // store, and the last.
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(record), word, __ATOMIC_RELAXED);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  c->open.store(owner, std::memory_order_relaxed);
}

/// Formats argument `index` of the site's format with the specification it has there. Returns the text's
/// length, of which at most `size` bytes are in `out`; what a formatter throws becomes the text.
[[gnu::cold]] FAULTLINE_API std::size_t format_argument(const site& where, unsigned index, char* out,
                                                        std::size_t size, fmt::format_args argument) noexcept;

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

template <class Level, unsigned... Index, class... Args>
void append_captured(const level_gate& gate, site& where, Level level,
                     std::integer_sequence<unsigned, Index...>, const Args&... args) noexcept {
  [&](const auto&... capture) {
    append(gate, where, level, capture.wire...);
  }(captured<Args>(where, Index, args)...);
}

/// A statement whose record has one argument more than the format: `extra`, of a wire type that the flusher
/// knows what to do with.
template <class Level, class Extra, class... Args>
void write_with(const level_gate& gate, site& where, Level level, const Extra& extra,
                format_for<Args...> /*format*/, const Args&... args) noexcept {
  [&]<unsigned... Index>(std::integer_sequence<unsigned, Index...>) {
    [&](const auto&... capture) {
      append(gate, where, level, capture.wire..., extra);
    }(captured<Args>(where, Index, args)...);
  }
  (std::make_integer_sequence<unsigned, sizeof...(Args)>{});
}

/// The statement behind the macros: `format` was checked by the compiler and is in the site already.
template <class Level, class... Args>
[[gnu::always_inline]] inline void write(const level_gate& gate, site& where, Level level,
                                         format_for<Args...> /*format*/, const Args&... args) noexcept {
  if constexpr ((raw_argument<Args> && ...))
    append(gate, where, level, to_wire(args)...);
  else
    append_captured(gate, where, level, std::make_integer_sequence<unsigned, sizeof...(Args)>{}, args...);
}

} // namespace faultline::detail

#pragma GCC diagnostic pop
