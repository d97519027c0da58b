// Places at which a test of races takes a thread's next step into its own hands, and safeguards that it takes
// away to see that it would notice. Both are empty but where FAULTLINE_TEST_POINTS is defined: tests/races
// compiles the files that include this header a second time, for itself alone. Headers of the library do not
// include it: their inline functions would then have two meanings in one program.
#pragma once

#include <cstdint>

namespace faultline::detail {

enum class race_point : std::uint8_t {
  // A thread that attaches, enters a site, or ends.
  generation_locked, ///< the fork guard is locked, the generation not made yet
  nulls_enqueued,    ///< what fetches a producer's blocks is in the queue and not yet out of it
  slot_made,         ///< whole, and not in the list yet
  site_numbered,     ///< the site has an id, the dictionary's table no entry for it
  site_filled,       ///< it has one, and the site does not know its id
  name_missed,       ///< a thread's name was in no cell, and is put in the next free one
  thread_ends,       ///< its slot is still its own, scopes and all

  // A statement that trips or passes, in the order of its steps.
  accepted,            ///< the runtime was seen to accept records
  storm_found,         ///< the site is on the storm board, and the context not yet counted there
  move_decided,        ///< whether the buffer leaves or a copy of it
  hand_over_ready,     ///< filled in, not enqueued
  hand_over_enqueued,  ///< not counted
  hand_over_counted,   ///< the outbox entry behind it is not published
  entry_ready,         ///< written, not published
  entry_published,     ///< the statement has nothing more to say to the flusher
  scope_ends_on_other, ///< a scope that ends on another thread is about to say so

  // Who waits for the flusher, with its mutex, which is given back when the wait begins.
  turn_awaited,  ///< of running a round by hand; come to as well by who has not to wait
  flush_awaited, ///< the same of a flush's tickets
  stop_awaited,  ///< the same of the flusher's end

  // A round of the flusher, in the order of its steps.
  time_read,      ///< of a cursor that is to be moved on (clock_kind::coarse)
  heads_noted,    ///< of all threads; the queue is not asked yet
  queue_emptied,  ///< the buffers have joined their threads' lists
  buffer_reached, ///< nothing of it is written
  buffer_written, ///< it is not given back
  entry_reached,  ///< nothing of it is written
  entries_written ///< and not given back
};

enum class planted_fault : std::uint8_t {
  queue_seems_empty, ///< no mistake: what the queue may answer at any time

  entries_wait_for_nothing,     ///< an entry is written before the hand-overs in front of it
  rounds_count_nothing,         ///< a round is complete when the queue seems empty
  noted_head_is_the_limit,      ///< entries behind it are not read, whatever buffer comes after them
  slot_names_the_thread,        ///< records are said to be of whoever has the slot now
  buffer_is_given_back_first,   ///< before it is written
  entries_are_given_back_first, ///< before they are written
  drain_is_one_round,           ///< whatever that round found
  word_before_entry,            ///< the site's id is known before its entry is in the table
  name_is_stored,               ///< whatever another thread put into the cell meanwhile
  word_is_stored,               ///< whatever another thread stored there meanwhile
  late_context_is_dropped,      ///< one that a thread counts when its storm is over
  move_is_decided_twice,        ///< before and after the hand-over
  nulls_go_one_by_one,          ///< into the queue
  slot_before_its_successor,    ///< the list's first slot is published before it says which one comes next
  slot_is_left_first,           ///< an ended thread's slot is free before its scopes are gone
  time_is_stored,               ///< the flusher's time replaces whatever the thread has read meanwhile
  end_names_no_scope,           ///< a scope that ends on another thread ends whichever has its place
  counter_is_trusted            ///< a step of the time stamp counter is not noticed
};

#ifdef FAULTLINE_TEST_POINTS
/// Any thread that comes by; the test defines them.
void test_point(race_point here) noexcept;
[[nodiscard]] bool is_planted(planted_fault fault) noexcept;
#else
constexpr void test_point(race_point /*here*/) noexcept {}
[[nodiscard]] consteval bool is_planted(planted_fault /*fault*/) noexcept { return false; }
#endif

} // namespace faultline::detail
