// What scopes, loggers and handlers must do, as simply as it can be said: every scope has a list of the
// records that it holds. It knows nothing of buffers, positions or masks.
//
// The rules, those of tests/conformance and of the guide, and where they are:
//
//   a record below its logger's effective level does not exist                          level_of
//   a scope sees the records of its logger and of that logger's descendants             sees
//   it holds the last `capacity` of them, or writes when it holds so many (flush)       hold, concerns
//   it holds its first `pin_first` besides, counted anew after each trip                hold
//   a record at its flush level or above makes it write, and it holds nothing then      concerns, write
//   scopes that one record makes write: nearest logger first, then first entered first  in_order
//   of these, scopes with one target write one dump                                     write
//   an error that a scope expects does not make it write: its target gets it alone      concerns, tell
//   a scope that passes through does so once it failed, not when it is only full        begin_passing
//   then it holds nothing, and its target gets each record that it sees alone           concerns, tell
//   scopes whose targets get a record alone: first entered first, by their own names    tell
//   a record reaches a handler once                                               write_dump, pass, tell
//   no empty dumps                                                                      write_dump
//   handlers at loggers get what is at their level or above, by the way up              routed
//   an error that no open scope sees and no handler takes goes to the default target    is_silent
//   an exception that leaves a scope is `call failed` at ERROR on its logger            call_failed
//   a scope that took longer than its budget writes when it ends                        check_budget
//   one that ends before scopes inside it takes them along                              leave
//   records outside scopes are held as by a scope of the root that never ends           watching
//   they are discarded when all open scopes write at once                               discard_outside
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "scope_model/mistake.hpp"
#include "scope_model/outcome.hpp"
#include "scope_model/program.hpp"

namespace faultline::scope_model {

/// A statement's record, for programs of which not all is known: where it may go, where it must, as bits of
/// handlers.
struct destination {
  std::uint32_t allowed = 0;
  std::uint32_t wanted = 0; ///< reached, or counted
  std::uint32_t first = 0;  ///< is among the first records of a scope that was to write them there, and fits
  bool told = false;        ///< the only open scope, which alone ever had it, was to write it: not discarded
};

struct expectation {
  outcome exact;                         ///< for roomy programs
  std::vector<destination> destinations; ///< by statement number; [0] is not used
  /// How many records without a number of their own may come to each handler.
  std::array<std::size_t, most_handlers> unnumbered{};
  bool forgets = false; ///< not all scopes write when they are full
  /// Records logged outside scopes by a thread that holds these: with little room nobody knows how many of
  /// them the ledger has yet.
  std::uint64_t held_outside = 0;
  std::uint64_t made = 0; ///< records in all
};

/// Runs the program in the reference.
[[nodiscard]] expectation expect(const program& p, mistake wrong = mistake::none);

} // namespace faultline::scope_model
