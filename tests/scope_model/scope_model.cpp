// Random programs of scopes, in the library and in the reference.
//
//   scope_model run COUNT [FIRST]   the programs of COUNT seeds; the first that differs is shrunk and shown
//   scope_model controls COUNT      whether each mistake in the reference, and each damage to what handlers
//                                   received, is noticed within COUNT programs
//   scope_model show SEED           one program, and what it leads to
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scope_model/controls.hpp"
#include "scope_model/generator.hpp"
#include "scope_model/player.hpp"
#include "scope_model/shrink.hpp"
#include "scope_model/verdict.hpp"

namespace {

using namespace faultline::scope_model;

/// Counts that show that a run got to where it should.
constexpr std::pair<const char*, std::uint64_t faultline::runtime_stats::*> ground[] = {
    {"dumps", &faultline::runtime_stats::dumps},
    {"passed", &faultline::runtime_stats::passed_only},
    {"skipped", &faultline::runtime_stats::skipped},
    {"forgotten by buffers", &faultline::runtime_stats::forgotten},
    {"contexts refused", &faultline::runtime_stats::contexts_refused},
    {"contexts suppressed", &faultline::runtime_stats::contexts_suppressed},
    {"refused by outboxes", &faultline::runtime_stats::outbox_full},
    {"scopes refused", &faultline::runtime_stats::scopes_refused},
    {"scopes abandoned", &faultline::runtime_stats::scopes_abandoned},
};

int show_failure(const program& p) {
  if (wrong_with(p).empty()) {
    fmt::print("{}was wrong once, and not again\n", text_of(p));
    return 1;
  }
  const program small = shrink(p, [](const program& q) { return !wrong_with(q).empty(); });
  fmt::print("{}{}", text_of(small), wrong_with(small));
  return 1;
}

struct ground_sums {
  std::array<std::uint64_t, std::size(ground)> counts{};
};

/// Runs the programs of these seeds; answers the first whose outcome is wrong, or `end`.
std::uint64_t run_some(std::uint64_t seed, std::uint64_t end, ground_sums& sums) {
  for (; seed < end; ++seed) {
    const program p = generate(seed);
    const expectation expected = expect(p);
    const outcome seen = play(p);
    if (!wrong_with(p, expected, seen).empty()) break;
    for (std::size_t i = 0; i < std::size(ground); ++i) sums.counts[i] += seen.stats.*ground[i].second;
  }
  return seed;
}

int run(std::uint64_t count, std::uint64_t first) {
  using clock = std::chrono::steady_clock;
  const auto begin = clock::now();
  ground_sums sums;
  constexpr std::uint64_t together = 32; // on one thread, which costs more to start than a program to run
  for (std::uint64_t seed = first; seed < first + count; seed += together) {
    const std::uint64_t end = std::min(seed + together, first + count);
    const auto wrong = std::async(std::launch::async, run_some, seed, end, std::ref(sums)).get();
    if (wrong != end) return show_failure(generate(wrong));
  }
  const std::chrono::duration<double> time = clock::now() - begin;
  fmt::print("{} programs, all as the reference, in {:.1f} s\n", count, time.count());
  bool everywhere = true;
  for (std::size_t i = 0; i < std::size(ground); ++i) {
    fmt::print("  {}: {}\n", ground[i].first, sums.counts[i]);
    everywhere = everywhere && sums.counts[i] != 0;
  }
  constexpr std::uint64_t enough = 1000; // programs, to get everywhere
  if (everywhere || count < enough) return 0;
  fmt::print("the programs did not get everywhere\n");
  return 1;
}

int show(std::uint64_t seed) {
  const program p = generate(seed);
  const expectation expected = expect(p);
  const outcome seen = play_apart(p);
  fmt::print("{}reference\n{}library\n{}{}", text_of(p), text_of(expected.exact), text_of(seen),
             wrong_with(p, expected, seen));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const std::string_view what = argc > 2 ? argv[1] : "";
  if (what == "run") return run(number(2, 0), number(3, 1));
  if (what == "controls") return controls_are_noticed(number(2, 0)) ? 0 : 1;
  if (what == "show") return show(number(2, 0));
  fmt::print(stderr, "usage: scope_model run COUNT [FIRST] | controls COUNT | show SEED\n");
  return 2;
}
