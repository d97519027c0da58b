// What a run must notice in the reference: something wrong on purpose.
#pragma once

#include <cstdint>
#include <string_view>

namespace faultline::scope_model {

/// Something wrong on purpose in the reference, which a run must notice.
enum class mistake : std::uint8_t {
  none,
  capacity_off_by_one,     ///< a scope holds one record more
  full_one_late,           ///< full_policy::flush writes one record later
  farthest_logger_first,   ///< the order of dumps
  no_merging,              ///< scopes with one target write a dump each
  written_twice,           ///< a dump repeats what an earlier one wrote to the target
  passed_and_written,      ///< a dump repeats what the pass path brought to the target
  written_and_passed,      ///< the record that trips goes to the target by the pass path as well
  forgotten_untold,        ///< forgotten records are not counted
  level_of_root,           ///< a logger without a level takes the root's, not the nearest one's
  watermark_stays,         ///< a scope that wrote holds on to what it wrote
  empty_dumps,             ///< a dump without records is written
  propagates_always,       ///< set_propagate changes nothing
  sees_all,                ///< a scope sees every logger's records
  exception_always_trips,  ///< an exception makes the scope write whatever its flush level
  success_takes_all,       ///< what an inner scope held when it ended well is gone for the outer one
  inner_scopes_stay,       ///< a scope that ends out of order leaves the scopes inside it open
  hand_over_of_held_alone, ///< the ledgers count what scopes hold, not what is handed over
  forgotten_is_written,    ///< what a scope forgot, its target is taken to have
  forgotten_summed,        ///< a merged dump counts as forgotten what another of its scopes still held
  outermost_context,       ///< the pass path shows the outermost scope's name
  ninth_target,            ///< open scopes have one target more
  one_deeper,              ///< scopes nest one deeper
  errors_are_silent,       ///< an error that nobody sees or takes is discarded
  first_are_of_the_last,   ///< first records use up capacity
  first_only_once,         ///< after a trip no record is a first one
  never_passes,            ///< trip_policy::pass_through changes nothing
  full_begins_to_pass,     ///< a scope that is only full begins to pass through
  empty_trip_passes_not,   ///< a trip that finds nothing held does not make a scope pass through
  told_by_innermost,       ///< what a scope passes shows the innermost one's name
  told_and_written,        ///< a dump repeats what the target got alone
  expects_nothing,         ///< predicates are not asked
  expected_for_all,        ///< what one scope expects trips no other either
  expected_is_held,        ///< an expected error is held as others, and the target does not get it at once
  outside_stays,           ///< a scope that is written leaves what its thread held before it
  outside_sees_scopes,     ///< a thread holds the records of its scopes beyond their end
  outside_holds_one_more,  ///< than a scope does by default
  budget_since_trip,       ///< a budget begins anew when its scope is written
  slow_one_late,           ///< a scope may take a millisecond longer
  taken_along_is_slow,     ///< scopes that one outside them takes along are written as slow, too
  count
};
[[nodiscard]] std::string_view to_string(mistake m);

} // namespace faultline::scope_model
