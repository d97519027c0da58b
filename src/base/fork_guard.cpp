#include "base/fork_guard.hpp"

#include <mutex>
#include <new>
#include <utility>

#include <pthread.h>
#include <sched.h>

#include "base/mapping.hpp"

namespace faultline::detail {
void (*fork_guard::in_child)() noexcept = nullptr;

fork_guard& fork_guard::instance() {
  static fork_guard guard;
  return guard;
}

fork_guard::fork_guard() {
  static auto* const kept =
      new mapping(page_bytes); // never unmapped: statements run in the last destructors, too
  mapping& page = *kept;
  state_ = new (page.data()) wiped_state{};
  state_->alive.store(1, std::memory_order_relaxed);
  if (page.wipe_on_fork(0, page_bytes)) return;
  // Where the kernel cannot wipe, fork() does it by a handler; _Fork() runs none.
  pthread_atfork(nullptr, nullptr, [] {
    new (instance().state_) wiped_state{};
    if (in_child != nullptr) in_child();
  });
}

std::uint64_t fork_guard::present_epoch() {
  fork_guard& guard = instance();
  if (!guard.alive()) {
    const std::lock_guard lock(guard);
    if (!guard.alive()) guard.revive();
  }
  return guard.epoch();
}

void fork_guard::revive() noexcept {
  epoch_.fetch_add(1, std::memory_order_release);
  state_->alive.store(1, std::memory_order_release); // publishes the epoch
}

void fork_guard::lock() noexcept {
  // Acquire: sees what the last holder did.
  while (state_->locked.exchange(1, std::memory_order_acquire) != 0) sched_yield();
}

} // namespace faultline::detail
