// The handlers of the accounting stress: they reduce what they are given to numbers.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <faultline/faultline.hpp>

#include "stream_checker.hpp"
#include "workload.hpp"

namespace faultline::stress {

/// Counts copies as the flusher's ledger does, from the outside. Flusher thread only; read after stop.
class recorder {
 public:
  recorder(std::size_t threads, std::size_t records, std::size_t per_life)
      : checker_(roles, threads, records), per_life_(per_life) {}

  void receive(std::size_t handler, const batch& records);

  [[nodiscard]] const stream_checker& checker() const noexcept { return checker_; }
  [[nodiscard]] std::uint64_t dumps() const noexcept { return dumps_; }
  /// Copies that came in dumps: a record in several dumps of one hand-over is one copy.
  [[nodiscard]] std::uint64_t copies_in_dumps() const noexcept { return finished_ + group_.size(); }
  [[nodiscard]] std::uint64_t copies_passed() const noexcept {
    return passed_.size() + passed_without_number_;
  }
  [[nodiscard]] std::uint64_t malformed() const noexcept { return malformed_; }

 private:
  void receive_dump(std::size_t handler, const batch& records);
  void receive_passed(std::size_t handler, const batch& records);

  using copy = std::pair<std::string, std::chrono::system_clock::time_point>;
  stream_checker checker_;
  std::size_t per_life_;
  std::uint64_t dumps_ = 0;
  std::uint64_t malformed_ = 0;
  // The hand-over whose dumps are coming in: those of one tripping record.
  std::pair<std::uint32_t, std::chrono::system_clock::time_point> group_key_{};
  std::set<copy> group_;
  std::uint64_t finished_ = 0;
  std::set<std::pair<std::size_t, std::uint64_t>> passed_;
  std::set<std::pair<std::uint32_t, std::chrono::system_clock::time_point>> failures_passed_;
  std::uint64_t passed_without_number_ = 0;
};

} // namespace faultline::stress
