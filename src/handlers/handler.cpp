#include <faultline/handler.hpp>

#include <memory>
#include <utility>

#include "handlers/handler_access.hpp"

namespace faultline {

void handler::set_level(level threshold) {
  threshold_.store(threshold, std::memory_order_relaxed);
  if (auto* listener = detail::handler_access::level_listener.load(std::memory_order_acquire))
    listener(*this);
}

/// One that this handler has or had.
struct handler::kept_formatter {
  const formatter_ptr formatter;
  const kept_formatter* next;

  [[nodiscard]] bool is(const formatter_ptr& other) const noexcept { // kept by the same owner, too
    return formatter == other && !formatter.owner_before(other) && !other.owner_before(formatter);
  }
};

handler::~handler() {
  const kept_formatter* next = nullptr;
  for (const kept_formatter* f = formatters_.load(std::memory_order_acquire); f != nullptr; f = next) {
    next = f->next;
    delete f;
  }
}

void handler::set_formatter(formatter_ptr replacement) {
  const formatter* const chosen = replacement.get();
  const kept_formatter* known = formatters_.load(std::memory_order_acquire);
  const kept_formatter* f = known;
  while (f != nullptr && !f->is(replacement)) f = f->next;
  if (f == nullptr) {
    // Two threads may add one formatter twice, which costs the space.
    auto fresh = std::make_unique<kept_formatter>(kept_formatter{std::move(replacement), known});
    while (!formatters_.compare_exchange_weak(fresh->next, fresh.get(), std::memory_order_acq_rel)) {
    }
    (void)fresh.release();
  }
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

void handler_access::write(handler& h, const batch& records) {
  const std::uint64_t lost_before = h.lost();
  const std::uint64_t dropped_before = h.dropped();
  try {
    h.write(records);
  } catch (...) {
    const std::uint64_t counted = (h.lost() - lost_before) - (h.dropped() - dropped_before); // of this batch
    if (counted < records.size()) h.report_lost(records.size() - counted);
    throw;
  }
}

void handler_access::after_fork(handler& h) {
  h.lost_.store(0, std::memory_order_relaxed);
  h.dropped_.store(0, std::memory_order_relaxed);
  h.after_fork();
}

bool handler_access::is_kept_by(const handler& h, const void* runtime) noexcept {
  return h.keeper_.load(std::memory_order_relaxed) == runtime;
}

bool handler_access::is_kept(const handler& h) noexcept {
  const void* const keeper = h.keeper_.load(std::memory_order_relaxed);
  return keeper != nullptr && reinterpret_cast<std::uintptr_t>(keeper) % 2 == 0;
}

bool handler_access::is_called_by(const handler& h, const void* caller) noexcept {
  const void* const keeper = h.keeper_.load(std::memory_order_relaxed);
  return keeper == caller || keeper == calling(caller);
}

bool handler_access::replace_keeper(handler& h, const void* present, const void* other) noexcept {
  return h.keeper_.compare_exchange_strong(present, other, std::memory_order_relaxed);
}

} // namespace detail
} // namespace faultline
