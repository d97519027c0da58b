// The handler that writes to a spdlog sink.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <spdlog/sinks/sink.h>

#include <faultline/spdlog.hpp>

namespace faultline::detail {

class spdlog_handler final : public handler {
 public:
  spdlog_handler(std::shared_ptr<spdlog::sinks::sink> sink, const spdlog_handler_options& options);
  ~spdlog_handler() override;

  void write(const batch& records) override;
  /// Throws what the sink threw first since the last flush, by `write` or now.
  void flush() override;
  [[nodiscard]] bool pending() const noexcept override { return first_error_ != nullptr; }
  /// A sink that was at work at the fork may have its lock taken for ever: it is not used any more.
  void after_fork() override;

 private:
  void write_envelope(const batch& records);
  void write_one(const record_view& r);
  [[nodiscard]] const char* name(std::string_view text);

  const std::shared_ptr<spdlog::sinks::sink> sink_;
  const bool envelope_;
  /// What a child that was forked in the middle of a change leaves alone.
  struct texts {
    std::string text; ///< the formatter's, for one record
    /// Names of files and functions, ended by a null as spdlog wants them. A sink may keep them: none goes
    /// before the handler does, and there are as many as the program has statements, at most.
    std::set<std::string, std::less<>> names;
  };
  std::unique_ptr<texts> texts_ = std::make_unique<texts>();
  std::exception_ptr first_error_;
  /// Whether the flusher is in the sink. Sequentially consistent, so that it is set before the sink's lock is
  /// taken and unset after it is free, in the memory that a fork copies; only the child reads it.
  std::atomic<bool> at_work_{false};
  bool abandoned_ = false;
};

} // namespace faultline::detail
