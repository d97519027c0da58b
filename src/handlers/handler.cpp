#include <faultline/handler.hpp>

#include "handlers/handler_access.hpp"

namespace faultline {

handler::~handler() = default;

void handler::set_level(level threshold) {
  threshold_.store(threshold, std::memory_order_relaxed);
  if (auto* listener = detail::handler_access::level_listener.load(std::memory_order_acquire)) listener();
}

void handler::set_formatter(formatter_ptr replacement) {
  const std::lock_guard lock(formatter_mutex_);
  formatter_ = std::move(replacement);
}

formatter_ptr handler::current_formatter() const {
  static const formatter_ptr fallback = make_text_formatter(default_pattern);
  const std::lock_guard lock(formatter_mutex_);
  return formatter_ ? formatter_ : fallback;
}

namespace detail {
constinit std::atomic<void (*)()> handler_access::level_listener{nullptr};
} // namespace detail
} // namespace faultline
