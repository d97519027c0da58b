// Failures that nobody could be told of by an exception: counted, and reported once a second each.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <faultline/runtime.hpp>

#include "base/clock.hpp"
#include "base/descriptor_identity.hpp"

namespace faultline::detail {

/// A source is a handler, or the flusher itself; each kind of failure of each source has a limit of its own,
/// so that a noisy handler does not hide what another one says once. Flusher thread only.
class error_log {
 public:
  enum class kind : std::uint8_t { handler, flusher };

  /// `standard_error`: what may be written to, which outlives the log; null: what is there now.
  explicit error_log(std::function<void(const error_report&)> on_error,
                     descriptor_identity* standard_error = nullptr);
  void report_to(std::function<void(const error_report&)> on_error) noexcept {
    on_error_ = std::move(on_error);
  }
  error_log(const error_log&) = delete;
  error_log& operator=(const error_log&) = delete;

  /// Reports go to what standard error is now, if that can be a program's output (see output_stream_at).
  void accept_standard_error() noexcept;

  /// Reports now if the source was quiet for a second, else keeps it for `report_due`. `source`: see above;
  /// null for the flusher.
  void add(kind k, const void* source, std::string_view detail, std::uint64_t now_ns) noexcept;

  /// Reports what was kept, and what standard error did not take, a second after the source's last report.
  void report_due(std::uint64_t now_ns) noexcept;
  void report_due() noexcept {
    if (keeps_any_) report_due(monotonic_nanoseconds());
  }
  /// All of it, at the end.
  void report_all() noexcept { report_due(UINT64_MAX); }

 private:
  struct entry {
    entry(kind k, const void* from) noexcept : about(k), source(from) {}

    kind about;
    const void* source;
    std::uint64_t waiting = 0;
    std::uint64_t last_ns = 0;
    std::string latest; ///< of those that wait
  };

  [[nodiscard]] entry& find(kind k, const void* source) noexcept;
  void report(entry& e, std::string_view detail, std::uint64_t now_ns) noexcept;
  [[nodiscard]] bool tell(const error_report& r);
  [[nodiscard]] bool write_tail() noexcept;
  [[nodiscard]] bool may_write() const noexcept;

  std::function<void(const error_report&)> on_error_;
  descriptor_identity present_;
  descriptor_identity* const standard_error_;
  std::vector<entry> entries_; ///< few: as many as handlers that ever failed, and one of each kind for others
  std::string tail_;           ///< of a line that standard error took a part of
  bool keeps_any_ = false;
};

} // namespace faultline::detail
