// The two equations of runtime_stats, for Catch2 tests.
#pragma once

#include <cstdint>

#include <faultline/runtime.hpp>

#include "support/catch.hpp"

namespace faultline::stress {

/// Both ledgers close; `statements` is what the test counted itself.
inline void check_ledgers(const runtime_stats& s, std::uint64_t statements) {
  CHECK(s.logged == statements);
  CHECK(s.logged == s.handed_over + s.passed_only + s.discarded + s.lost);
  CHECK(s.taken == s.written + s.suppressed + s.skipped + s.flusher_lost);
  CHECK(s.in_flight == 0);
}

} // namespace faultline::stress
