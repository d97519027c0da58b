// The static facts of one logging statement.
#pragma once

#include <atomic>
#include <cstdint>

#include <faultline/export.hpp>
#include <faultline/level.hpp>

namespace faultline::detail {

/// Bits of a site's word beside its level's, so that the statement's last test finds them. Every word has
/// `timed`, and the trip masks of threads whose records need more than the scope's time.
inline constexpr level_mask timed = 0x40;
/// Words of sites that are not in the dictionary have it, and every trip mask.
inline constexpr level_mask not_entered = 0x80;

/// The word of a site that is not in the dictionary.
inline constexpr std::uint64_t unentered = timed | not_entered;

/// One for each statement, constant-initialised. The strings are copied into the dictionary when a statement
/// runs for the first time, so nothing points here afterwards and its library may be unloaded.
///
/// `word` is the first eight bytes of each of the statement's records, ready to store; `unentered` until the
/// site is in the dictionary. Acquire on load, release on store: it publishes the dictionary's entry to
/// whichever thread meets the site next and, through that thread's hand-over, to the flusher.
///
///   bits  0..7   the level, one-hot (zero for a level known at run time), `timed`, `not_entered`
///   bits  8..15  flags (see record layout)
///   bits 16..31  the record's size in bytes, zero where it depends on the arguments
///   bits 32..63  the site's id, never reused, never zero
struct FAULTLINE_LOCAL site {
  std::atomic<std::uint64_t> word;
  const char* format;
  const char* file;
  const char* function;
  const char* argument_names;
  std::uint32_t line;
  faultline::level level; ///< `off` where the level is known at run time only
};

} // namespace faultline::detail
