// The handler that lets another one write on a thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>

#include <sys/types.h>

#include <faultline/handlers.hpp>

#include "handlers/background_worker.hpp"
#include "handlers/wrapping_handler.hpp"

namespace faultline::detail {

/// Nothing but last_flush and the destructor waits for the inner handler, for `finish_limit` at most.
class background_handler final : public wrapping_handler {
 public:
  static constexpr std::size_t least_spool_bytes = std::size_t{4} << 10;
  static constexpr std::size_t most_spool_bytes = std::size_t{1} << 30;
  static constexpr std::chrono::milliseconds longest_finish_limit = std::chrono::minutes(1);

  /// Throws `configuration_error` for null, for an option out of range, and for a handler that somebody else
  /// calls.
  background_handler(handler_ptr inner, const background_options& options);
  /// Lets the inner handler finish. A thread that hangs goes on by itself and keeps the inner handler.
  ~background_handler() override;

  void set_formatter(formatter_ptr replacement) override { inner_->set_formatter(std::move(replacement)); }
  void write(const batch& records) override;
  void flush() override { pass_on(false); }
  void flush_all() override { pass_on(true); }
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override;
  void reopen() override;
  /// The thread is the parent's, and so is what waits for it.
  void after_fork() override;
  /// None: the inner handler belongs to the worker.
  [[nodiscard]] std::array<handler*, 2> same_thread() const noexcept override { return {}; }

 private:
  /// What a forked child must neither touch nor free.
  struct background {
    std::shared_ptr<background_worker> worker;
    std::thread thread; ///< started by the first batch
  };

  [[nodiscard]] std::unique_ptr<background> make_background() const;
  void start_thread();
  void pass_on(bool all);
  void refuse(std::size_t records) noexcept;
  void throw_unreported();
  void abandon_copy();

  const handler_ptr inner_;
  const background_options options_;
  std::unique_ptr<background> background_;
  ::pid_t owner_process_;
  bool is_refusing_ = false;        ///< since the spool was last empty
  bool refusal_unreported_ = false; ///< flush has not told it yet
};

} // namespace faultline::detail
