// From views to handlers: who gets what, and what becomes of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <faultline/handler.hpp>

#include "flusher/error_log.hpp"
#include "flusher/ledger.hpp"

namespace faultline::detail {

/// Calls handlers, each guarded, and gathers records of the pass path into batches. Flusher thread only.
class delivery {
 public:
  delivery(ledger& counts, error_log& errors) : counts_(counts), errors_(errors) {}

  /// A record of the pass path for these handlers. `accept` counts its fate at the next `settle`.
  void add(const record_view& view, std::span<handler* const> targets);

  /// Writes a dump or another batch to one handler, after what is gathered for it. True when it accepted.
  bool write(handler& target, const batch& records);

  /// Writes all that is gathered, and counts each record once: written when one handler accepted it.
  void settle();

  /// Ends a round: flushes the handlers that were given something or have something left. True when one still
  /// has. `all`: somebody waits for this round (see handler::flush_all).
  bool flush_handlers(bool all);
  /// The last call: lets the handlers that still have something finish. True when one still has.
  bool finish_handlers();
  void reopen(handler& h) noexcept;
  void after_fork(handler& h) noexcept;

 private:
  struct gathered {
    handler* target;
    std::vector<record_view> views;
    std::vector<std::size_t> records; ///< indexes into accepted_
  };
  gathered& of(handler* target);
  void write_out(gathered& g);
  void touch(handler& h); ///< to be flushed at the round's end
  template <class Call> bool guarded(Call&& call) noexcept;

  ledger& counts_;
  error_log& errors_;
  std::vector<gathered> gathered_;
  std::vector<bool> accepted_; ///< of the records since the last settle: whether one handler took it
  std::vector<handler*> touched_;
};

} // namespace faultline::detail
