#include "scope_model/controls.hpp"

#include <utility>

#include <fmt/format.h>

#include "scope_model/generator.hpp"
#include "scope_model/invariants.hpp"
#include "scope_model/player.hpp"
#include "scope_model/shrink.hpp"
#include "scope_model/verdict.hpp"

namespace faultline::scope_model {
namespace {

/// A control of the shrinking as well.
std::size_t most_steps_left(mistake m) {
  switch (m) {
  case mistake::one_deeper: return 34;              // 33 scopes
  case mistake::outside_holds_one_more: return 102; // 101 records
  default: return 12;
  }
}

bool notices(mistake m, std::uint64_t count) {
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const program p = generate(seed);
    if (!p.roomy || wrong_with(p, m).empty()) continue;
    const program small = shrink(p, [m](const program& q) { return !wrong_with(q, m).empty(); });
    const bool short_enough = small.steps.size() <= most_steps_left(m);
    fmt::print("{}: {}, after {} programs, in {} steps\n{}{}", short_enough ? "caught" : "TOO LONG",
               to_string(m), seed, small.steps.size(), text_of(small), wrong_with(small, m));
    return short_enough;
  }
  fmt::print("NOT CAUGHT: {}, in {} programs\n", to_string(m), count);
  return false;
}

/// Something wrong on purpose with what a program with small buffers led to; `spoil` answers false where it
/// cannot be done.
struct damage {
  const char* name;
  bool (*spoil)(outcome& o, const expectation& e);
};

bool repeat_a_record(outcome& o, const expectation&) {
  for (auto& blocks : o.at)
    for (block& b : blocks)
      if (b.records.back().number != 0) return b.records.push_back(b.records.back()), true;
  return false;
}

bool exchange_records(outcome& o, const expectation&) {
  for (auto& blocks : o.at)
    for (block& b : blocks)
      if (b.records.size() > 1 && b.records[0].number != 0 && b.records[1].number != 0)
        return std::swap(b.records[0], b.records[1]), true;
  return false;
}

bool exchange_blocks(outcome& o, const expectation&) {
  for (auto& blocks : o.at)
    for (std::size_t i = 0; i + 1 < blocks.size(); ++i)
      if (blocks[i].head.empty() && blocks[i + 1].head.empty() && blocks[i].records[0].number != 0 &&
          blocks[i + 1].records[0].number != 0)
        return std::swap(blocks[i], blocks[i + 1]), true;
  return false;
}

bool misdirect(outcome& o, const expectation& e) {
  for (std::size_t h = 0; h < o.at.size(); ++h)
    for (const block& b : o.at[h])
      for (std::size_t other = 0; other < o.at.size(); ++other) {
        const std::size_t number = b.records.front().number;
        if (number == 0 || (e.destinations[number].allowed >> other & 1U) != 0) continue;
        return o.at[other].push_back(b), true;
      }
  return false;
}

/// One that was wanted, where no other may be missing.
bool lose_a_record(outcome& o, const expectation& e) {
  if (o.stats.outbox_full != 0) return false;
  for (std::size_t h = 0; h < o.at.size(); ++h)
    for (block& b : o.at[h])
      if ((e.destinations[b.records.back().number].wanted >> h & 1U) != 0) return b.records.pop_back(), true;
  return false;
}

/// One of a scope's first, where the buffer forgot records and nobody but the first are sure to be written.
bool lose_a_first_record(outcome& o, const expectation& e) {
  if (o.stats.forgotten == 0 || o.stats.contexts_refused != 0 || o.stats.contexts_suppressed != 0)
    return false;
  for (std::size_t h = 0; h < o.at.size(); ++h)
    for (block& b : o.at[h])
      if (!b.head.empty() && std::erase_if(b.records, [&](const received_record& r) {
                               return (e.destinations[r.number].first >> h & 1U) != 0;
                             }) != 0)
        return true;
  return false;
}

/// Records that a scope was to write and that are nowhere.
bool discard_what_is_lost(outcome& o, const expectation& e) {
  std::vector<bool> reached(e.destinations.size());
  for (const auto& blocks : o.at)
    for (const block& b : blocks) {
      if (b.forgotten != 0) return false;
      for (const received_record& r : b.records) reached[r.number] = true;
    }
  bool any = false;
  for (std::size_t i = 1; i < reached.size(); ++i) any = any || (e.destinations[i].told && !reached[i]);
  if (!any || o.stats.forgotten != 0 || o.stats.suppressed != 0) return false;
  o.stats.discarded += std::exchange(o.stats.lost, 0);
  return true;
}

bool forget_in_a_dump(outcome& o, const expectation& e) {
  if (e.forgets || o.stats.contexts_refused != 0 || o.stats.contexts_suppressed != 0) return false;
  for (auto& blocks : o.at)
    for (block& b : blocks)
      if (!b.head.empty()) return ++b.forgotten, true;
  return false;
}

bool miscount(outcome& o, const expectation&) { return ++o.stats.discarded, true; }

constexpr damage damages[] = {{"a record twice", repeat_a_record},
                              {"two records exchanged", exchange_records},
                              {"two writes exchanged", exchange_blocks},
                              {"a record at a wrong handler", misdirect},
                              {"a wanted record missing", lose_a_record},
                              {"a first record missing", lose_a_first_record},
                              {"a loss that is called success", discard_what_is_lost},
                              {"a full scope that forgets", forget_in_a_dump},
                              {"a ledger that is off by one", miscount}};

bool notices(const damage& d, std::uint64_t count) {
  constexpr std::uint64_t most_tried = 100;
  std::uint64_t tried = 0;
  for (std::uint64_t seed = 3; seed <= count && tried < most_tried; seed += 4) {
    const program p = generate(seed);
    const expectation expected = expect(p);
    outcome seen = play_apart(p);
    if (!d.spoil(seen, expected)) continue;
    ++tried;
    if (!broken(expected, seen).empty()) continue;
    fmt::print("NOT CAUGHT: {}, in\n{}", d.name, text_of(p));
    return false;
  }
  fmt::print("{}: {}, {} times\n", tried > 0 ? "caught" : "NOT CAUGHT", d.name, tried);
  return tried > 0;
}

} // namespace

bool controls_are_noticed(std::uint64_t count) {
  bool all = true;
  for (std::size_t m = 1; m < static_cast<std::size_t>(mistake::count); ++m)
    all = notices(static_cast<mistake>(m), count) && all;
  for (const damage& d : damages) all = notices(d, count) && all;
  return all;
}

} // namespace faultline::scope_model
