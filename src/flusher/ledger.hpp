// The flusher's counts.
#pragma once

#include <atomic>
#include <cstdint>

namespace faultline::detail {

/// Written by the flusher alone, read by stats(). Relaxed: counts order nothing.
struct ledger {
  std::atomic<std::uint64_t> taken{0}, written{0}, suppressed{0}, skipped{0}, lost{0};
  std::atomic<std::uint64_t> dumps{0}, hand_overs{0}, contexts_suppressed{0};
  std::atomic<std::uint64_t> handler_errors{0}, format_errors{0}, rounds{0};
};

} // namespace faultline::detail
