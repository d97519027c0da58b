// Notices a fork, and holds the one lock that must be free in the child.
#pragma once

#include <atomic>
#include <cstdint>

namespace faultline::detail {

/// State in a page of its own that a fork wipes: in the child `alive` reads false, and the lock is free
/// whoever held it in the parent. Works for `_Fork` too, which runs no handlers.
class fork_guard {
 public:
  /// The guard of the process. The first call maps its page; throws std::bad_alloc if that fails.
  static fork_guard& instance();

  /// Called in the child of a fork where the kernel cannot wipe pages: closes the forking thread's cursor.
  static void (*in_child)() noexcept;

  /// False in a forked child until `revive`. Any thread; one load: acquire, so that whoever sees a child
  /// noticed sees its epoch.
  [[nodiscard]] bool alive() const noexcept { return state_->alive.load(std::memory_order_acquire) != 0; }

  /// Counts the forks that lie between this process and the one that mapped the page.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }

  /// The epoch of this process. Any thread; in a child whoever asks first notices the fork.
  [[nodiscard]] static std::uint64_t present_epoch();

  /// Marks the child as noticed: the epoch goes up. Called with the lock held.
  void revive() noexcept;

  /// A spin lock for set-up: threads attaching and runtimes starting, never a statement of an attached
  /// thread.
  void lock() noexcept;
  void unlock() noexcept {
    state_->locked.store(0, std::memory_order_release);
  } // publishes what was done under it

 private:
  fork_guard();

  struct wiped_state {
    /// Release by `revive`, acquire by readers: the child's epoch.
    std::atomic<std::uint32_t> alive;
    /// Acquire to take, release to give: set-up done under it is seen by the next holder.
    std::atomic<std::uint32_t> locked;
  };
  wiped_state* state_;
  std::atomic<std::uint64_t> epoch_{
      1}; // release in the child, acquire by whoever compares a generation with it
};

} // namespace faultline::detail
