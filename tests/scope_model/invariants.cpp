#include "scope_model/invariants.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "support/manual_runtime.hpp"

namespace faultline::scope_model {
namespace {

/// Goes through what one handler received; notes in `reached` who has what.
std::string check_handler(std::size_t handler, const std::vector<block>& blocks, const expectation& expected,
                          std::vector<std::uint32_t>& reached) {
  const std::vector<destination>& destinations = expected.destinations;
  const std::uint32_t bit = std::uint32_t{1} << handler;
  std::size_t latest = 0; // the latest record so far
  std::size_t unnumbered = 0;
  for (const block& b : blocks) {
    std::size_t before = 0; // in this block
    for (const received_record& r : b.records) {
      if (r.number == 0) { // the text does not tell which it is
        unnumbered += r.text.find("call failed") != std::string::npos ? 1 : 0;
        continue;
      }
      const std::string where = fmt::format("h{} receives {}: ", handler, r.text);
      if (r.number >= destinations.size() || (destinations[r.number].allowed & bit) == 0)
        return where + "nobody could send it there\n";
      if ((reached[r.number] & bit) != 0) return where + "a second time\n";
      if (r.number < before) return where + "out of order within the dump\n";
      reached[r.number] |= bit;
      before = r.number;
    }
    if (before == 0) continue;
    const bool by_last = b.head.empty() || (b.by_record && b.records.back().number != 0);
    if (by_last && before < latest) // the record that made it write, or the only one
      return fmt::format("h{} receives {} after record {}\n", handler, b.records.back().text, latest);
    latest = std::max(latest, before);
  }
  if (unnumbered > expected.unnumbered[handler])
    return fmt::format("h{} receives `call failed` {} times, of {}\n", handler, unnumbered,
                       expected.unnumbered[handler]);
  return {};
}

std::string check_counts(const expectation& e, const runtime_stats& seen) {
  if (!test::closes(seen)) return "a ledger does not close\n";
  const runtime_stats& expected = e.exact.stats;
  if (e.held_outside == 0 && seen.logged != expected.logged)
    return fmt::format("logged should be {} and is {}\n", expected.logged, seen.logged);
  if (seen.logged > e.made || seen.logged < e.made - e.held_outside)
    return fmt::format("logged is {}, of {} records, {} of them outside scopes\n", seen.logged, e.made,
                       e.held_outside);
  if (seen.scopes_refused != expected.scopes_refused || seen.scopes_abandoned != expected.scopes_abandoned)
    return "scopes refused or abandoned are not those of the reference\n";
  return {};
}

/// Records that did not get where they had to.
std::string check_missing(const expectation& expected, const std::vector<std::uint32_t>& reached,
                          const outcome& seen) {
  const runtime_stats& s = seen.stats;
  std::uint64_t counted = s.lost + s.forgotten + s.suppressed;
  for (const auto& blocks : seen.at)
    for (const block& b : blocks) counted += b.forgotten; // a context told late may be beyond the capacity
  std::uint64_t missing = 0;
  std::uint64_t untold = 0;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const destination& d = expected.destinations[i];
    missing += (d.wanted & ~reached[i]) != 0 ? 1 : 0;
    untold += d.told && reached[i] == 0 ? 1 : 0;
  }
  if (missing > s.outbox_full)
    return fmt::format("{} records did not reach all that wanted them, and {} are counted\n", missing,
                       s.outbox_full);
  if (untold > counted)
    return fmt::format("{} records that a scope was to write are nowhere, and {} are counted\n", untold,
                       counted);
  return {};
}

/// The first records of a scope outlast its buffer.
std::string check_first(const expectation& expected, const std::vector<std::uint32_t>& reached,
                        const runtime_stats& seen) {
  if (seen.contexts_refused != 0 || seen.contexts_suppressed != 0) return {};
  for (std::size_t i = 0; i < reached.size(); ++i)
    if ((expected.destinations[i].first & ~reached[i]) != 0)
      return fmt::format("m{} is the first record of a scope that wrote, and was not written\n", i);
  return {};
}

/// Scopes that write when they are full write before their buffer forgets.
std::string check_forgotten(const expectation& expected, const outcome& seen) {
  if (expected.forgets || seen.stats.contexts_refused != 0 || seen.stats.contexts_suppressed != 0) return {};
  for (const auto& blocks : seen.at)
    for (const block& b : blocks)
      if (b.forgotten != 0) return b.head + ": no scope of this program forgets\n";
  return {};
}

} // namespace

std::string broken(const expectation& expected, const outcome& seen) {
  if (!seen.complaint.empty()) return seen.complaint;
  std::vector<std::uint32_t> reached(expected.destinations.size());
  std::string wrong;
  for (std::size_t h = 0; h < seen.at.size() && wrong.empty(); ++h)
    wrong = check_handler(h, seen.at[h], expected, reached);
  if (wrong.empty()) wrong = check_missing(expected, reached, seen);
  if (wrong.empty()) wrong = check_first(expected, reached, seen.stats);
  if (wrong.empty()) wrong = check_forgotten(expected, seen);
  if (wrong.empty()) wrong = check_counts(expected, seen.stats);
  return wrong;
}

} // namespace faultline::scope_model
