// The records that gather for one mail.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <faultline/formatter.hpp>

namespace faultline::detail {

/// Text, and the subject of the gravest record in it; of several, the first.
class mail_group {
 public:
  /// Adds a batch at `now`. Strong guarantee: what throws leaves the group as it was.
  void add(const batch& records, const formatter& text, const formatter& subject,
           std::chrono::nanoseconds now);
  /// Takes the batch of the last `add` out again; once for each add.
  void undo() noexcept;
  void clear() noexcept;

  [[nodiscard]] bool empty() const noexcept { return records_ == 0; }
  [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::string_view subject() const noexcept { return subject_; }
  /// When the first of the records came.
  [[nodiscard]] std::chrono::nanoseconds begin() const noexcept { return begin_; }

 private:
  std::string text_;
  std::uint64_t records_ = 0;
  std::string subject_;
  level gravest_ = level::trace;
  std::chrono::nanoseconds begin_{};
  // As they were before the last add.
  std::size_t text_before_ = 0;
  std::uint64_t records_before_ = 0;
  std::string subject_before_;
  level gravest_before_ = level::trace;
};

} // namespace faultline::detail
