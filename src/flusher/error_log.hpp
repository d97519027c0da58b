// Failures that nobody could be told of by an exception: counted, and reported once a kind and second.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include <faultline/runtime.hpp>

namespace faultline::detail {

/// Flusher thread only.
class error_log {
 public:
  enum class kind : std::uint8_t { handler, format, flusher };

  explicit error_log(std::function<void(const error_report&)> on_error) : on_error_(std::move(on_error)) {}

  /// Reports now if the kind was quiet for a second, else counts it for the next report.
  void add(kind k, std::string_view detail, std::uint64_t now_ns) noexcept;

 private:
  struct state {
    std::uint64_t waiting = 0;
    std::uint64_t last_ns = 0;
  };
  std::function<void(const error_report&)> on_error_;
  std::array<state, 3> states_{};
};

} // namespace faultline::detail
