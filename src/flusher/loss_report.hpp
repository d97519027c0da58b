// Lines that say what was lost, where people read: at the target that would have had it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flusher/delivery.hpp"
#include "flusher/ledger.hpp"
#include "flusher/router.hpp"
#include "flusher/view_builder.hpp"
#include "front/core.hpp"

namespace faultline::detail {

/// Compares what was lost with what was told, kind by kind, and writes one line for each kind with more, at
/// each target that lacks something: at once for the first, then at most once a second, and the rest at the
/// end. Storms have lines of their own. No line goes to a handler that did not take what it was last given.
/// Flusher thread only.
class loss_report {
 public:
  loss_report(generation& threads, const ledger& counts, delivery& out, router& routes)
      : threads_(threads), counts_(counts), out_(out), routes_(routes) {}

  enum class moment : std::uint8_t {
    round,      ///< any
    waited_for, ///< somebody waits for the round
    end,        ///< the flusher ends, and the handlers have yet to finish
    after_end,  ///< they have finished: what they gave up is told at the default target
  };
  /// Behind a round's records. True when it wrote something, which is not flushed yet.
  bool write_due(std::uint64_t now_ns, moment when);
  /// In a forked child: what is counted now was told, or will be, by the parent.
  void forget() noexcept;

 private:
  /// What no thread's slot counts, and is told at the default target.
  enum other : std::size_t { signal_handlers, no_memory, no_handler, own_thread, others };

  /// What threads lost of a kind and have in common: the target, or the logger whose handlers lack it.
  struct group {
    loss latest;
    std::uint64_t more = 0;
    std::vector<thread_slot*> slots;
  };
  struct state {
    std::uint64_t told = 0;
    std::uint64_t last_ns = 0;
    [[nodiscard]] bool may_tell(std::uint64_t now_ns, bool all) const noexcept;
  };

  bool write_kind(loss_kind kind, bool all);
  bool write_others(std::uint64_t now_ns, bool all);
  bool write_handlers(std::uint64_t now_ns, moment when);
  [[nodiscard]] std::array<std::uint64_t, others> count_others() const noexcept;
  [[nodiscard]] std::vector<group> groups_of(loss_kind kind, bool all);
  [[nodiscard]] std::vector<handler*> targets_of(const loss& latest);
  bool write(handler& target, const std::string& text);
  [[nodiscard]] std::string describe(loss_kind kind, const group& lost) const;

  generation& threads_;
  const ledger& counts_;
  delivery& out_;
  router& routes_;
  std::array<state, loss_kinds> kinds_{}; ///< `told` is each slot's own
  std::array<state, others> others_{};
  std::uint64_t looked_ns_ = 0;
};

} // namespace faultline::detail
