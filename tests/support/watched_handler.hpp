// A handler that fails as it is told and remembers what was called.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <faultline/handler.hpp>

namespace faultline::test {

class watched_handler final : public handler {
 public:
  bool throws = false;       ///< write and the flushes throw
  bool loses = false;        ///< write takes records and loses them; last_flush loses one that it held
  bool holds = false;        ///< there is text left to flush
  std::size_t loses_old = 0; ///< write takes its records and loses so many of earlier ones
  std::size_t drops_old = 0; ///< the same, told by report_dropped
  std::vector<std::string> messages;
  std::vector<std::string> calls; ///< but write

  void write(const batch& records) override {
    if (throws) throw std::runtime_error("write failed");
    if (loses_old != 0) report_lost(loses_old);
    report_dropped(drops_old);
    if (loses) return report_lost(records.size());
    for (const record_view& r : records) messages.emplace_back(r.message());
  }
  void flush() override {
    calls.emplace_back("flush");
    if (throws) throw std::runtime_error("flush failed");
  }
  void flush_all() override {
    calls.emplace_back("flush_all");
    if (throws) throw std::runtime_error("flush_all failed");
  }
  void last_flush(std::chrono::steady_clock::time_point /*until*/) override {
    calls.emplace_back("last_flush");
    if (holds && loses) report_lost(1);
    holds = false;
    if (throws) throw std::runtime_error("last_flush failed");
  }
  [[nodiscard]] bool pending() const noexcept override { return holds; }
  void reopen() override { calls.emplace_back("reopen"); }
  void after_fork() override { calls.emplace_back("after_fork"); }
};

} // namespace faultline::test
