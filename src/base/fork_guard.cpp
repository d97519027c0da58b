#include "base/fork_guard.hpp"

#include <new>
#include <utility>

#include <pthread.h>
#include <sched.h>

#include "base/mapping.hpp"

namespace faultline::detail {
namespace {
std::byte* wiped_by_hand =
    nullptr; // where the kernel cannot wipe: fork(), though not _Fork, does it by a handler
} // namespace

fork_guard& fork_guard::instance() {
  static fork_guard guard;
  return guard;
}

fork_guard::fork_guard() {
  mapping page(page_bytes);
  if (!page.wipe_on_fork(0, page_bytes)) {
    wiped_by_hand = page.data();
    pthread_atfork(nullptr, nullptr, [] { new (wiped_by_hand) wiped_state{}; });
  }
  state_ = new (page.data()) wiped_state{};
  state_->alive.store(1, std::memory_order_relaxed);
  static mapping kept; // the page lives as long as the process
  kept = std::move(page);
}

void fork_guard::revive() noexcept {
  epoch_.fetch_add(1, std::memory_order_release);
  state_->alive.store(1, std::memory_order_relaxed);
}

void fork_guard::lock() noexcept {
  // Acquire: sees what the last holder did.
  while (state_->locked.exchange(1, std::memory_order_acquire) != 0) sched_yield();
}

} // namespace faultline::detail
