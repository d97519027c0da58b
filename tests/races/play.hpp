// How often a race is run.
#pragma once

#include <set>

#include "races/stage.hpp"
#include "stress/scale.hpp"
#include "support/catch.hpp"

namespace faultline::test {

/// Plays the race, 100 times or as FAULTLINE_STRESS_SCALE says, always to the same end; and with the fault
/// planted, once, to another.
template <class Play, class End> void check_race(const Play& play, const End& end, planted_fault fault) {
  for (std::size_t n = stress::scaled(100); n > 0; --n) REQUIRE(play(std::set<planted_fault>{}) == end);
  CHECK_FALSE(play(std::set{fault}) == end);
}

} // namespace faultline::test
