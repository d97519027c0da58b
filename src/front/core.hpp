// What the logging threads of one runtime share. The runtime on top derives from it and adds the flusher's
// side.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <forward_list>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/output_stream.hpp"
#include "buffer/thread_slot.hpp"
#include "front/registry.hpp"
#include "handover/flusher_rest.hpp"
#include "handover/hand_over_queue.hpp"

namespace faultline {
struct runtime_stats;
}

namespace faultline::detail {

/// The sites in a storm: published by the flusher, looked at by threads that trip. Relaxed throughout: a
/// reading that is late or early suppresses one context more or less, and each is counted.
class storm_board {
 public:
  static constexpr std::size_t most_storms = 32;

  /// A thread that trips: whether the site is in a storm; counts the context as suppressed then.
  [[nodiscard]] bool suppress(std::uint32_t site) noexcept {
    return any_.load(std::memory_order_relaxed) && site != 0 && suppress_on_board(site);
  }

  /// The flusher: puts the site on the board; false when the board is full, which leaves suppressing to the
  /// flusher.
  bool add(std::uint32_t site) noexcept;
  /// The flusher: takes it off; returns how many contexts threads suppressed meanwhile.
  std::uint64_t remove(std::uint32_t site) noexcept;

 private:
  [[nodiscard]] bool suppress_on_board(std::uint32_t site) noexcept;

  struct storm { // relaxed, as the class says
    std::atomic<std::uint32_t> site{0};
    std::atomic<std::uint64_t> suppressed{0};
  };
  std::atomic<bool> any_{false}; // relaxed, as the class says
  std::array<storm, most_storms> storms_;
};

struct core;

/// The threads' state between two forks. A forked child leaves its parent's generation alone, locks, queue,
/// slots and all, and begins another.
struct generation {
  explicit generation(core& core_of, std::uint64_t fork_epoch) : owner(core_of), epoch(fork_epoch) {}
  virtual ~generation();
  generation(const generation&) = delete;
  generation& operator=(const generation&) = delete;

  /// A thread that comes near its bound ends the flusher's rest, if it may.
  void press(bool urgently) noexcept;

  /// A slot for the calling thread: one that an ended thread left, or a new one. Throws std::bad_alloc.
  thread_slot& attach_thread(const slot_geometry& geometry);

  core& owner;
  std::uint64_t epoch;
  hand_over_queue queue;
  flusher_rest rest;
  /// The list of all slots ever made, newest first. Release by the maker under `slots_mutex`, acquire by
  /// readers.
  std::atomic<thread_slot*> slots{nullptr};
  std::mutex slots_mutex;
  /// False once `stop` began its last round. Relaxed: a thread that reads it late hands over what `stop`
  /// counts as in flight.
  std::atomic<bool> accepting{true};
  storm_board storms;
};

/// What begins a runtime: a statement, or a call, or a scope with its name and its logger's.
struct FAULTLINE_LOCAL beginning {
  const site* statement = nullptr;
  std::string_view call = {};
  std::string_view name = {};
  std::string_view logger = {};
};

struct core : core_head {
  /// What reports may be written to: what standard error was when the runtime was made, or what the program
  /// put there and asked to be accepted. Of the flusher, and of a forked child's.
  descriptor_identity standard_error = standard_error_now();

  [[nodiscard]] static core& of(const core_head& head) noexcept {
    return static_cast<core&>(const_cast<core_head&>(head));
  }

  explicit core(const slot_geometry& sizes);
  virtual ~core();
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  /// The generation of this process, made and started on first use, `by` whom is noted once. Throws
  /// std::bad_alloc, std::system_error.
  generation& begin(const beginning& by);
  /// The same if it has begun, else null. Any thread.
  [[nodiscard]] generation* begun() const noexcept;

  /// Keeps the handler alive until the runtime ends, and lets raw pointers to it stand for it. Any thread;
  /// takes a lock unless it is kept already.
  virtual void keep(handler& h) = 0;
  [[nodiscard]] handler& default_target() const noexcept {
    return *default_target_.load(std::memory_order_acquire);
  }
  /// Whether `start` took over and gave another default target.
  [[nodiscard]] bool has_former_target() const noexcept {
    return former_target_.load(std::memory_order_acquire) != nullptr;
  }
  /// Where records for that target go now: to itself, but for the default target of before `start`.
  [[nodiscard]] handler* successor(handler* target) const noexcept {
    return target == former_target_.load(std::memory_order_acquire) ? &default_target() : target;
  }
  /// What threads that attach now get. The address is the same as long as nothing of it changes; `clock`
  /// never does.
  [[nodiscard]] const slot_geometry& geometry() const noexcept {
    return *geometry_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t now() const noexcept { return read_ticks(geometry().clock); }
  [[nodiscard]] virtual runtime_stats stats() const = 0;

  /// One for the runtime, one for each attached thread; the last to go deletes the core.
  void acquire() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
  } // the caller has a reference already
  void release() noexcept;

  /// For time budgets; centuries at most, and no overflow.
  [[nodiscard]] std::uint64_t ticks_in(std::chrono::nanoseconds time) const noexcept {
    return static_cast<std::uint64_t>(std::min(static_cast<double>(time.count()) / ns_per_tick, 1e18));
  }

  double ns_per_tick; ///< for time budgets: measured when the runtime was made
  registry loggers;

  // Counts of statements that had no slot to count them; any thread, fetch_add on slow paths. Relaxed:
  // counters.
  std::atomic<std::uint64_t> reentered{0}; ///< logged and lost: interrupted a statement on its thread
  std::atomic<std::uint64_t> barred{0};    ///< logged and lost: on the flusher's thread
  std::atomic<std::uint64_t> unmade{0};    ///< logged and lost: no memory, or no place in the dictionary
  std::atomic<std::uint64_t> scopes_unattached{0}; ///< scopes refused for the same reasons
  std::atomic<std::uint64_t> scopes_moved{0};      ///< ended on another thread, which could not be attached

 protected:
  /// Ends and deletes the generation: first thing in the derived destructor, since the flusher uses what that
  /// has.
  void end_generation() noexcept;
  virtual generation* make_generation(std::uint64_t epoch) = 0;
  // Set-up: one caller at a time.
  /// Throws std::bad_alloc.
  void set_geometry(const slot_geometry& sizes);
  /// `succeeds`: what goes to the present one from now on goes to this one, too.
  void set_default_target(handler& target, bool succeeds) noexcept;
  /// The words for what began the runtime first; empty if nothing did. Under the fork guard's lock.
  [[nodiscard]] const std::string& began_by() const noexcept { return began_by_; }

 private:
  /// Written under the fork guard's lock; release, and acquire by readers: publishes the generation.
  std::atomic<generation*> current_{nullptr};
  std::atomic<std::uint64_t> references_{1};
  /// Release by set-up, acquire by threads and the flusher: publishes the sizes.
  std::atomic<const slot_geometry*> geometry_{nullptr};
  /// Release by set-up, acquire by threads and the flusher: publishes the handler. `start` writes the former
  /// one first, so that whoever sees the present one sees what it succeeds.
  std::atomic<handler*> default_target_{nullptr}, former_target_{nullptr};
  std::forward_list<slot_geometry> geometries_; // kept: slots point to theirs
  std::string began_by_;
};

inline void generation::press(bool urgently) noexcept {
  if (owner.geometry().wakes) rest.ask(urgently);
}

/// The first of the calling thread's slots, which lead to each other by `next_of_thread`, or null.
[[nodiscard]] thread_slot* first_slot() noexcept;

/// The owner of detail::unmade_node: an address, which no cursor is open for, and no core.
inline constinit core_head unmade_owner;

/// The calling thread's slot of that core, or null. No lock, no allocation.
[[nodiscard]] thread_slot* find_slot(const core& owner) noexcept;

/// The calling thread's slot of that core, attaching the thread if needed and making its cursor the current
/// one. Null, when the thread may not log now: inside a statement, on the flusher's thread, or without
/// memory. Counts nothing.
[[nodiscard]] thread_slot* obtain_slot(core& owner, const beginning& by) noexcept;

/// Sizes have changed: gives the calling thread, if it is attached, a slot that has them, and the name it
/// had, unless it is in a scope or a statement.
void renew_slot(core& owner) noexcept;

/// As long as it lives nothing the calling thread logs makes a record, in any runtime: rounds of the flusher.
class barred_section {
 public:
  barred_section() noexcept;
  barred_section(const barred_section&) = delete;
  barred_section& operator=(const barred_section&) = delete;
  ~barred_section();

 private:
  cursor* before_;
};
[[nodiscard]] bool this_thread_is_barred() noexcept;

/// Closes a slot's cursor for as long as it lives: a signal handler that logs meanwhile is counted and goes
/// away.
class closed_section {
 public:
  closed_section(const thread_slot& slot, cursor& c) noexcept : owner_(slot.owner), cursor_(c) {
    c.open.store(nullptr, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  closed_section(const closed_section&) = delete;
  closed_section& operator=(const closed_section&) = delete;
  ~closed_section() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    cursor_.open.store(owner_, std::memory_order_relaxed);
  }

 private:
  const core_head* owner_;
  cursor& cursor_;
};

} // namespace faultline::detail
