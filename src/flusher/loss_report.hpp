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

/// Compares what was lost with what was told, kind by kind, and writes one line for each kind with more: at
/// once for the first, then at most once a second, and the rest at the end. Storms have lines of their own.
/// Flusher thread only.
class loss_report {
 public:
  loss_report(generation& threads, const ledger& counts, delivery& out, router& routes)
      : threads_(threads), counts_(counts), out_(out), routes_(routes) {}

  /// Behind a round's records. True when it wrote something, which is not flushed yet. `look`: somebody waits
  /// for the round; `all`: the flusher ends.
  bool write_due(std::uint64_t now_ns, bool look, bool all);

 private:
  /// What is counted, in the order of the lines. The first are the threads' kinds of loss.
  enum line : std::size_t { signal_handlers = loss_kinds, no_memory, handlers_threw, own_thread, lines };

  struct state {
    std::uint64_t told = 0;
    std::uint64_t last_ns = 0;
    bool ever = false;
  };
  using totals = std::array<std::uint64_t, lines>;

  [[nodiscard]] totals count() const noexcept;
  [[nodiscard]] loss latest_of(loss_kind kind) noexcept;
  bool write_line(std::size_t which, std::uint64_t more, bool all);
  bool write_handlers(std::uint64_t now_ns, bool all);
  bool write(handler& target, const std::string& text, bool all);
  [[nodiscard]] std::string describe(std::size_t which, std::uint64_t more, const loss& latest) const;

  generation& threads_;
  const ledger& counts_;
  delivery& out_;
  router& routes_;
  std::array<state, lines> states_{};
  std::uint64_t looked_ns_ = 0;
};

} // namespace faultline::detail
