// The thread's place in its buffer: everything a statement touches on its thread, in one cache line.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <faultline/export.hpp>
#include <faultline/level.hpp>

// A thread-local of the executable's own is reached by one instruction less than one that may be anywhere. An
// executable that finds it in a shared library all the same does not link (R_X86_64_TPOFF32 against
// current_cursor) and defines FAULTLINE_INITIAL_EXEC.
#if defined(FAULTLINE_STATIC) && !defined(FAULTLINE_INITIAL_EXEC) && (!defined(__PIC__) || defined(__PIE__))
#define FAULTLINE_DETAIL_TLS_MODEL "local-exec"
#else
#define FAULTLINE_DETAIL_TLS_MODEL "initial-exec"
#endif

namespace faultline::detail {

class thread_slot;

/// The part of a runtime's core that statements know: its address.
struct core_head {};

/// Where a statement takes its record's time from.
enum class statement_clock : std::uint8_t {
  cursor, ///< the cursor's
  tsc,    ///< the time stamp counter
  other,  ///< a call
};

/// Where the next record of this thread goes. Owned by its thread; nobody else reads or writes it, but for a
/// signal handler on the same thread, which looks at `open` alone, and with clock_kind::coarse the flusher,
/// which moves `time` on.
///
/// It lies at the start of a page that a fork wipes (MADV_WIPEONFORK): in the child `open` is null, and the
/// child's first statement takes the slow path without a branch of its own.
struct alignas(64) cursor {
  /// The core whose records may be appended now. Null while a statement or a scope works on this thread, so
  /// that a signal handler that interrupts it finds the cursor closed. Relaxed with signal fences: the one
  /// other reader runs on the same thread.
  std::atomic<const core_head*> open{nullptr};
  std::byte* head = nullptr; ///< where the next record begins
  std::byte* end = nullptr;  ///< end of the current segment
  /// The thread's latest clock reading, in ticks. With clock_kind::coarse the flusher, too, moves it on while
  /// it is active, by compare-and-swap from an earlier time, or from one that a counter that stepped back
  /// left in the future: the thread's own plain store is never undone. Relaxed: nothing else hangs on it.
  std::atomic<std::uint64_t> time{0};
  std::uint64_t logged = 0;         ///< records appended since the thread attached
  std::uint32_t argument_bytes = 0; ///< longest string kept of one argument
  std::uint32_t record_bytes = 0;   ///< longest record
  level_mask trip_mask = 0;         ///< levels at which a statement has more to do than append
  level_mask base_mask = 0; ///< of the trip mask, what does not depend on scopes: `not_entered`, `timed`
  statement_clock clock = statement_clock::cursor;
  bool has_tsc = false;        ///< a real reading is the time stamp counter's, else CLOCK_MONOTONIC's
  bool plain_scopes = false;   ///< it is, and nothing is held outside scopes: one is entered the short way
  thread_slot* slot = nullptr; ///< the rest of the thread's state
};

static_assert(sizeof(cursor) == 64, "a statement touches one cache line of its thread's state");

/// Stands for "this thread has no buffers yet"; its `open` matches no core.
extern constinit cursor closed_cursor;

/// The one thread-local of statements and scopes: 8 bytes, defined in the compiled library, so that there is
/// one for each thread whatever the number of shared libraries that log.
FAULTLINE_API extern constinit thread_local cursor* current_cursor
    [[gnu::tls_model(FAULTLINE_DETAIL_TLS_MODEL)]];

} // namespace faultline::detail
