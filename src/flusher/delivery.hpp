// From views to handlers: who gets what, and what becomes of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <faultline/handler.hpp>

#include "flusher/error_log.hpp"
#include "flusher/ledger.hpp"

namespace faultline::detail {

/// Calls handlers, each guarded, and gathers records of the pass path into runs: neighbours that go to the
/// same handlers, which each of them gets in one batch. Flusher thread only.
class delivery {
 public:
  using clock = std::chrono::steady_clock;

  delivery(ledger& counts, error_log& errors) : counts_(counts), errors_(errors) {}

  /// Where the next record of the pass path is to be described, for these handlers, at least one. It is
  /// gathered by `add`; one that could not be described is the caller's to count.
  [[nodiscard]] record_view& next(std::span<handler* const> targets);
  void add() noexcept { ++gathered_; }

  /// Writes a dump or another batch to one handler, after what is gathered. True when it accepted.
  bool write(handler& target, const batch& records);

  /// Writes a line of the flusher's own, which no ledger counts. True when the handler accepted it.
  bool write_line(handler& target, level l, const site_facts& where, std::string_view text);

  /// A handler that was ever given something, and what was told of its losses.
  struct known_handler {
    handler* target;
    std::uint64_t told;
    std::uint64_t told_ns;
    bool refuses;                ///< its latest `write` threw, or something was lost by it or behind it
    std::uint64_t held_since_ns; ///< since when a line waits for it; 0: none does
  };
  [[nodiscard]] const std::vector<known_handler>& known() const noexcept { return known_; }
  /// The one of them that is that handler.
  [[nodiscard]] known_handler& known_as(const handler& h) noexcept {
    return *std::find_if(known_.begin(), known_.end(),
                         [&h](const known_handler& k) { return k.target == &h; });
  }
  /// Whether the handler did not take what it was last given.
  [[nodiscard]] bool refuses(const handler& h) const noexcept;

  /// Writes what is gathered, and counts each record once: written when one handler accepted it.
  void settle();

  /// Ends a round: flushes the handlers that were given something or have something left. True when one still
  /// has. `all`: somebody waits for this round (see handler::flush_all).
  bool flush_handlers(bool all);
  /// The last call: lets the handlers that still have something finish, one after another; each may wait for
  /// its share of the time until just before `until`, which may change meanwhile, and what it leaves is the
  /// others'. True when one still has something, or lost records by it.
  bool finish_handlers(const std::atomic<clock::time_point>& until);
  void reopen(handler& h) noexcept;
  void after_fork(handler& h) noexcept;

 private:
  void touch(handler& h); ///< to be flushed at the round's end
  bool give(handler& h, const batch& records) noexcept;
  void note_refusal(const handler& h, bool refuses) noexcept;
  template <class Call> bool guarded(const handler& called, Call&& call) noexcept;

  ledger& counts_;
  error_log& errors_;
  std::vector<record_view> run_; // its first `gathered_`
  std::size_t gathered_ = 0;
  std::vector<handler*> run_targets_;
  std::vector<handler*> touched_;
  std::vector<known_handler> known_;
  std::size_t refusing_ = 0; // of the known ones
};

} // namespace faultline::detail
