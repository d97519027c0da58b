#include "scope_model/verdict.hpp"

#include <cstddef>
#include <exception>

#include <fmt/format.h>

#include "scope_model/invariants.hpp"
#include "scope_model/player.hpp"

namespace faultline::scope_model {
namespace {

/// Roomy programs have it always; others when all their records together fit the buffer, and no count says
/// that a buffer or the outbox was wanting. (What a full buffer forgets after it was handed over to somebody
/// else has no count but the dump's.)
bool had_room(const program& p, const runtime_stats& s) {
  if (p.roomy) return true;
  std::size_t bytes = 0;
  for (const step& one : p.steps) {
    constexpr std::size_t most_added = 64; // to the text of a statement or of an exception
    const std::size_t records = one.what == verb::unwind ? most_unwound : 1;
    bytes += records * most_added + (one.what == verb::log ? one.number : 0);
  }
  constexpr std::size_t surely_held =
      2500; // of 4 KiB, of which each of four segments may leave a record's room
  return bytes <= surely_held && s.contexts_refused == 0 && s.contexts_suppressed == 0 && s.outbox_full == 0;
}

} // namespace

std::string wrong_with(const program& p, const expectation& expected, const outcome& seen) {
  const bool exact = had_room(p, seen.stats);
  std::string wrong = p.roomy && exact ? std::string() : broken(expected, seen);
  if (wrong.empty() && exact) wrong = difference(expected.exact, seen);
  return wrong;
}

std::string wrong_with(const program& p, mistake in_reference) {
  try {
    return wrong_with(p, expect(p, in_reference), play_apart(p));
  } catch (const std::exception& e) {
    return fmt::format("the library throws: {}\n", e.what());
  }
}

} // namespace faultline::scope_model
