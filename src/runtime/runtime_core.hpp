// A runtime's whole state: the threads' side, and the flusher's.
#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include <faultline/runtime.hpp>

#include "flusher/flusher.hpp"
#include "front/core.hpp"

namespace faultline::detail {

/// A generation with its flusher.
struct running_generation final : generation {
  running_generation(core& core_of, std::uint64_t fork_epoch, const runtime_options& options)
      : generation(core_of, fork_epoch), flushing(*this, options) {}
  flusher flushing;
};

/// The options; throws `configuration_error` for one out of range.
const runtime_options& in_range(const runtime_options& o);

class runtime_core final : public core {
 public:
  /// Checks the options; throws `configuration_error`.
  explicit runtime_core(runtime_options options);
  ~runtime_core() override;

  /// Other options for a runtime that was not started before; begins it, or takes over where it has begun.
  /// Throws `configuration_error` when it was started or stopped, and for what cannot be changed any more.
  void configure(runtime_options options);
  /// Throws as `configure` does, whatever the options.
  void check_startable() const;

  void keep(handler& h) override;
  bool flush(std::chrono::nanoseconds deadline);
  bool stop(std::chrono::nanoseconds deadline);
  /// As `stop`, unless an earlier one gave up: what hung then is not waited for again.
  void stop_at_exit() noexcept;
  [[nodiscard]] runtime_stats stats() const override;
  bool run_once();
  void reopen();
  /// The runtime object is gone: threads may still end.
  void abandon() noexcept;

 private:
  generation* make_generation(std::uint64_t epoch) override;
  [[nodiscard]] running_generation* running() const noexcept {
    return static_cast<running_generation*>(begun());
  }
  [[nodiscard]] std::vector<handler_ptr> kept() const;
  [[nodiscard]] bool has_begun() const noexcept { return generations_.load(std::memory_order_relaxed) > 0; }

  void set_options(runtime_options options);
  void refuse_second_start() const;
  /// Nothing calls them any more: another runtime may have them.
  void give_back_handlers() noexcept;

  runtime_options options_;
  bool started_ = false; ///< by `configure`; under the fork guard's lock
  /// Under configuration_mutex, which a forked child finds free. Kept until the runtime goes: scopes and
  /// hand-overs hold raw pointers to them.
  std::vector<handler_ptr> handlers_;
  /// Counts under the fork guard's lock; relaxed, for who reads it elsewhere has lost no more than a moment.
  std::atomic<std::uint64_t> generations_{0};
  std::atomic<bool> gave_up_{false}; ///< relaxed: the latest `stop` did, and what it waited for is at work
  std::atomic<bool> stopped_{false}; ///< relaxed: a generation that begins later than `stop` takes nothing
};

} // namespace faultline::detail
