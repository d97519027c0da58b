// What races have in common: the failure that they are about, and how often one is run.
#pragma once

#include <set>

#include "races/stage.hpp"
#include "stress/scale.hpp"
#include "support/catch.hpp"

namespace faultline::test {

/// A scope that fails: one record that is held, one that trips it and is passed.
inline void fail(const logger& lg, int number) {
  FAULTLINE_SCOPE(lg);
  FAULTLINE_DEBUG(lg, "held {}", number);
  FAULTLINE_ERROR(lg, "failed {}", number);
}

/// Plays the race, 10 times or as FAULTLINE_STRESS_SCALE says, always to the same end; and with the fault
/// planted, once, to another.
template <class Play, class End> void check_race(const Play& play, const End& end, planted_fault fault) {
  for (std::size_t n = stress::scaled(10); n > 0; --n) REQUIRE(play(std::set<planted_fault>{}) == end);
  CHECK_FALSE(play(std::set{fault}) == end);
}

} // namespace faultline::test
