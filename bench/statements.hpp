// The statements that all scenarios share.
#pragma once

#include <cstdint>
#include <string>

#include <faultline/faultline.hpp>

namespace faultline::bench {

/// How many records a request holds before it ends.
inline constexpr int records_per_request = 32;

/// Statement A: a uint64, a uint32 and a double.
inline void statement_a(logger lg, int i) {
  FAULTLINE_DEBUG(lg, "request {} handled {} bytes in {} us", static_cast<std::uint64_t>(i),
                  static_cast<std::uint32_t>(i), static_cast<double>(i));
}

/// Statement B: one string of 24 characters and an int.
inline void statement_b(logger lg, const std::string& user, int i) {
  FAULTLINE_DEBUG(lg, "user {} shard {}", user, i);
}

inline const std::string user_name = "a string of 24 character";

} // namespace faultline::bench
