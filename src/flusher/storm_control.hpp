// Storms: one site that fails too often keeps its error records and loses their context.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "front/core.hpp"

namespace faultline::detail {

/// A token bucket for each site that trips scopes (rate and burst from runtime_options). Flusher thread only;
/// threads see the storm_board.
class storm_control {
 public:
  storm_control(storm_board& board, std::uint32_t dumps_per_second, std::uint32_t burst)
      : board_(board), rate_(dumps_per_second), burst_(burst) {}

  /// Other bounds from now on: what a larger burst adds is there at once.
  void set_limits(std::uint32_t dumps_per_second, std::uint32_t burst) noexcept;

  /// Takes a token for a dump of this site; false: its context is suppressed, for those targets.
  bool allow(std::uint32_t site, std::uint64_t now_ns, const std::vector<handler*>& targets);

  struct ended_storm {
    std::uint32_t site;
    std::uint64_t contexts;
    std::vector<handler*> targets;
  };
  /// Storms whose site has tokens again, or that have gone on for a second since the last summary.
  [[nodiscard]] std::vector<ended_storm> summaries(std::uint64_t now_ns, bool all);

 private:
  struct bucket {
    double tokens;
    std::uint64_t filled_ns;
    bool storm = false;
    std::uint64_t suppressed = 0;
    std::uint64_t told_ns = 0;
    std::vector<handler*> targets;
  };
  void fill(bucket& b, std::uint64_t now_ns) const noexcept;

  storm_board& board_;
  double rate_;
  double burst_;
  std::unordered_map<std::uint32_t, bucket> buckets_;
};

} // namespace faultline::detail
