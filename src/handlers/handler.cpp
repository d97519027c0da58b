#include <faultline/handler.hpp>

#include <algorithm>

#include "handlers/handler_access.hpp"

namespace faultline {

handler::~handler() = default;

void handler::set_level(level threshold) {
  threshold_.store(threshold, std::memory_order_relaxed);
  if (auto* listener = detail::handler_access::level_listener.load(std::memory_order_acquire))
    listener(*this);
}

void handler::set_formatter(formatter_ptr replacement) {
  const std::lock_guard lock(formatters_mutex_);
  const formatter* const chosen = replacement.get();
  const auto is_same = [&replacement](const formatter_ptr& known) { // kept by the same owner, too
    return known == replacement && !known.owner_before(replacement) && !replacement.owner_before(known);
  };
  if (std::none_of(formatters_.begin(), formatters_.end(), is_same))
    formatters_.push_back(std::move(replacement));
  formatter_.store(chosen, std::memory_order_release);
}

const formatter& handler::current_formatter() const {
  // Never destroyed: the flusher writes until the very end of the process.
  static const auto* const fallback = new formatter_ptr(make_text_formatter(default_pattern));
  const formatter* own = formatter_.load(std::memory_order_acquire);
  return own != nullptr ? *own : **fallback;
}

namespace detail {

constinit std::atomic<void (*)(handler&)> handler_access::level_listener{nullptr};

bool handler_access::is_kept_by(const handler& h, const void* runtime) noexcept {
  return h.keeper_.load(std::memory_order_relaxed) == runtime;
}

bool handler_access::is_kept(const handler& h) noexcept { return !is_kept_by(h, nullptr); }

bool handler_access::replace_keeper(handler& h, const void* present, const void* other) noexcept {
  return h.keeper_.compare_exchange_strong(present, other, std::memory_order_relaxed);
}

} // namespace detail
} // namespace faultline
