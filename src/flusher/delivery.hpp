// From views to handlers: who gets what, and what becomes of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <faultline/handler.hpp>

#include "flusher/error_log.hpp"
#include "flusher/ledger.hpp"

namespace faultline::detail {

/// Calls handlers, each guarded, and gathers records of the pass path into runs: neighbours that go to the
/// same handlers, which each of them gets in one batch. Flusher thread only.
class delivery {
 public:
  delivery(ledger& counts, error_log& errors) : counts_(counts), errors_(errors) {}

  /// A record of the pass path for these handlers, at least one. Throws only before it is gathered: then the
  /// caller counts it.
  void add(const record_view& view, std::span<handler* const> targets);

  /// Writes a dump or another batch to one handler, after what is gathered. True when it accepted.
  bool write(handler& target, const batch& records);

  /// Writes what is gathered, and counts each record once: written when one handler accepted it.
  void settle();

  /// Ends a round: flushes the handlers that were given something or have something left. True when one still
  /// has.
  bool flush_handlers();
  void reopen(handler& h) noexcept;
  void after_fork(handler& h) noexcept;

 private:
  void touch(handler& h); ///< to be flushed at the round's end
  template <class Call> bool guarded(Call&& call) noexcept;

  ledger& counts_;
  error_log& errors_;
  std::vector<record_view> run_;
  std::vector<handler*> run_targets_;
  std::vector<handler*> touched_;
};

} // namespace faultline::detail
