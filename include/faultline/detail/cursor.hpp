// The thread's place in its buffer: everything a statement touches on its thread, in one cache line.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <faultline/level.hpp>

namespace faultline::detail {

struct core;
class thread_slot;

/// Where a statement takes its record's time from.
enum class statement_clock : std::uint8_t {
  scope, ///< the cursor's latest reading
  tsc,   ///< the time stamp counter
  other, ///< a call
};

/// Where the next record of this thread goes. Owned by its thread; nobody else reads or writes it, but for a
/// signal handler on the same thread, which looks at `open` alone.
///
/// It lies at the start of a page that a fork wipes (MADV_WIPEONFORK): in the child `open` is null, and the
/// child's first statement takes the slow path without a branch of its own.
struct alignas(64) cursor {
  /// The core whose records may be appended now. Null while a statement or a scope works on this thread, so
  /// that a signal handler that interrupts it finds the cursor closed. Relaxed with signal fences: the one
  /// other reader runs on the same thread.
  std::atomic<const core*> open{nullptr};
  std::byte* head = nullptr;        ///< where the next record begins
  std::byte* end = nullptr;         ///< end of the current segment
  std::uint64_t time = 0;           ///< the scope's latest clock reading, in ticks
  std::uint64_t logged = 0;         ///< records appended since the thread attached
  std::uint32_t argument_bytes = 0; ///< longest string kept of one argument
  std::uint32_t record_bytes = 0;   ///< longest record
  level_mask trip_mask = 0;         ///< levels at which a statement has more to do than append
  statement_clock clock = statement_clock::scope;
  bool has_tsc = false;        ///< a real reading is the time stamp counter's, else CLOCK_MONOTONIC's
  thread_slot* slot = nullptr; ///< the rest of the thread's state
};

static_assert(sizeof(cursor) == 64, "a statement touches one cache line of its thread's state");

/// Stands for "this thread has no buffers yet"; its `open` matches no core.
extern constinit cursor closed_cursor;

/// The one thread-local of faultline: 8 bytes, defined in the compiled library, so that there is one for each
/// thread whatever the number of shared libraries that log.
extern constinit thread_local cursor* current_cursor [[gnu::tls_model("initial-exec")]];

} // namespace faultline::detail
