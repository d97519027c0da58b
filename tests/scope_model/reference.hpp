// What scopes, loggers and handlers must do, as simply as it can be said: every scope has a list of the
// records that it holds. It knows nothing of buffers, positions or masks.
//
// The rules, those of tests/conformance and of the guide, and where they are:
//
//   a record below its logger's effective level does not exist                          level_of
//   a scope sees the records of its logger and of that logger's descendants             sees
//   it holds the last `capacity` of them, or writes when it holds so many (flush)       hold, trips
//   a record at its flush level or above makes it write, and it holds nothing then      trips, write
//   scopes that one record makes write: nearest logger first, then first entered first  in_order
//   of these, scopes with one target write one dump                                     write
//   a record reaches a handler once                                                     write_dump, pass
//   no empty dumps                                                                      write_dump
//   handlers at loggers get what is at their level or above, by the way up              routed
//   an error that no open scope sees and no handler takes goes to the default target   is_silent
//   an exception that leaves a scope is `call failed` at ERROR on its logger            call_failed
//   one that ends before scopes inside it takes them along                              leave
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "scope_model/outcome.hpp"
#include "scope_model/program.hpp"

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
  count
};
[[nodiscard]] std::string_view to_string(mistake m);

/// A statement's record, for programs of which not all is known: where it may go, where it must, as bits of
/// handlers.
struct destination {
  std::uint32_t allowed = 0;
  std::uint32_t wanted = 0; ///< reached, or counted
  bool told = false;        ///< the only open scope, which alone ever had it, was to write it: not discarded
};

struct expectation {
  outcome exact;                         ///< for roomy programs
  std::vector<destination> destinations; ///< by statement number; [0] is not used
  /// How many records without a number of their own may come to each handler.
  std::array<std::size_t, most_handlers> unnumbered{};
  bool forgets = false; ///< not all scopes write when they are full
};

/// Runs the program in the reference.
[[nodiscard]] expectation expect(const program& p, mistake wrong = mistake::none);

} // namespace faultline::scope_model
