// Records that are always written: from the thread's buffer to its outbox.
#pragma once

#include "buffer/thread_slot.hpp"
#include "record/layout.hpp"

namespace faultline::detail {

/// What an entry for the handlers of its logger shows of a scope: the innermost one's context, or null where
/// it has none.
[[nodiscard]] const context_block* innermost_context(thread_slot& slot) noexcept;

/// What an entry is to hold beside its record.
struct entry_contents {
  handler* target = nullptr; ///< null: the handlers of its logger
  const context_block* context = nullptr;
  bool tripping = false; ///< it may take the part of the outbox that is kept for failures
};

/// The record's copy in the outbox, not published yet, for which the thread waits if it may; null when the
/// outbox is full, or the runtime stopped meanwhile. The cursor is closed.
outbox_entry* obtain_entry(thread_slot& slot, const record_reader& record,
                           const entry_contents& contents) noexcept;

/// Publishes the prepared entry, with those flags, behind the hand-overs made so far; wakes the flusher where
/// the ring fills while it rests.
void publish_entry(thread_slot& slot, outbox_entry& entry, int flags) noexcept;

/// The whole of the pass path on a thread without scopes: nothing is held, and the record goes on as it is.
void pass_outside_scopes(thread_slot& slot, const record_reader& record) noexcept;

} // namespace faultline::detail
