// The handler that writes to a second one while the first one fails.
//
//   healthy ── a write throws or loses, a flush throws or loses ──► draining, while the first holds text
//      ▲                                                        └─► resting, while it holds none
//      ├── draining: the first has put out what it held
//      └── resting: after the pause the first takes a batch
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"
#include "handlers/wrapping_handler.hpp"

namespace faultline::detail {

class fallback_handler final : public wrapping_handler {
 public:
  static constexpr std::chrono::milliseconds longest_retry_interval = std::chrono::hours(24);

  /// Throws `configuration_error` for a null handler, twice the same one, and a pause out of range. `calls`
  /// must outlive it.
  fallback_handler(handler_ptr first, handler_ptr second, fallback_options options,
                   const system_calls& calls);

  void set_formatter(formatter_ptr replacement) override {
    first_->set_formatter(replacement);
    second_->set_formatter(std::move(replacement));
  }
  void write(const batch& records) override;
  void flush() override { flush_both(&handler::flush); }
  void flush_all() override { flush_both(&handler::flush_all); }
  /// Of those that are pending, each, whatever the other one throws.
  void last_flush(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] bool pending() const noexcept override;
  void reopen() override;
  void after_fork() override;
  [[nodiscard]] std::array<handler*, 2> same_thread() const noexcept override {
    return {first_.get(), second_.get()};
  }

 private:
  enum class state { healthy, draining, resting };

  [[nodiscard]] bool may_use_first() const;
  [[nodiscard]] bool try_first(const batch& records);
  void flush_both(void (handler::*how)());
  void flush_first(void (handler::*how)());
  void begin_failure(const char* what);

  const handler_ptr first_;
  const handler_ptr second_;
  const std::chrono::milliseconds retry_interval_;
  const system_calls& calls_;
  state state_ = state::healthy;
  std::chrono::nanoseconds retry_at_{};
  std::unique_ptr<std::string> report_; ///< of the failure that flush has not told yet, else null
};

} // namespace faultline::detail
