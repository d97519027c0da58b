// What a test of races directs: threads that do what they are told and wait, and a stage on which something
// happens exactly when one of them comes to a point. Nothing here runs at the same time as something else but
// what `actor::begins` begins, so a race has one course, and that one each time.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <semaphore>
#include <set>
#include <thread>
#include <utility>

#include "base/test_point.hpp"
#include "support/manual_runtime.hpp"

namespace faultline::test {

using detail::planted_fault;
using detail::race_point;

/// A thread of its own, from `actor` to `ends`.
class actor {
 public:
  actor() : thread_([this] { run(); }) {}
  actor(const actor&) = delete;
  actor& operator=(const actor&) = delete;
  ~actor() { ends(); }

  /// Does it all before this returns.
  void does(std::function<void()> work) {
    begins(std::move(work));
    waits();
  }
  /// Begins with it; `waits` returns when it is done.
  void begins(std::function<void()> work) {
    work_ = std::move(work);
    told_.release();
  }
  void waits() { done_.acquire(); }
  /// The thread is gone when this returns.
  void ends() {
    if (!thread_.joinable()) return;
    begins(nullptr);
    thread_.join();
  }

 private:
  void run() {
    for (;;) {
      told_.acquire();
      if (!work_) return;
      work_();
      done_.release();
    }
  }

  std::function<void()> work_;
  std::binary_semaphore told_{0};
  std::binary_semaphore done_{0};
  std::thread thread_;
};

/// One at a time may exist.
class stage {
 public:
  stage();
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;
  ~stage();

  /// The first thread that comes to the point does this there, and then goes on.
  void at(race_point here, std::function<void()> action) { set(here, {std::move(action), true}); }
  /// Each time that one does.
  void each_time_at(race_point here, std::function<void()> action) { set(here, {std::move(action), false}); }
  /// How often threads came to it.
  [[nodiscard]] std::size_t visits(race_point here) const;

  void plant(planted_fault fault);
  void heal(planted_fault fault);

  // What the library calls.
  void reached(race_point here);
  [[nodiscard]] bool has(planted_fault fault) const;
  [[nodiscard]] static stage* current() noexcept;

 private:
  static constexpr std::size_t points = static_cast<std::size_t>(race_point::entries_written) + 1;
  struct cue {
    std::function<void()> action;
    bool once = true;
  };
  void set(race_point here, cue c);

  mutable std::mutex mutex_; // never held while an action runs
  std::array<cue, points> cues_;
  std::array<std::size_t, points> visits_{};
  std::set<planted_fault> faults_;
};

/// What nearly each race has: a thread that logs, one that takes its place, the flusher, and a target that
/// gets what is handed over and, from INFO on, what is passed.
class scene : public stage, public manual_runtime {
 public:
  explicit scene(std::set<planted_fault> faults = {}, runtime_options options = {})
      : manual_runtime(std::move(options)) {
    for (const planted_fault f : faults) plant(f);
    target->set_level(level::info);
    lg.set_level(level::debug);
    lg.add_handler(target);
  }
  /// The flusher's thread runs a round.
  void round() {
    flusher.does([this] { (void)get_runtime().run_once(); });
  }
  /// The same, for a flush; whether it says that all is written.
  bool flush_once() {
    bool done = false;
    flusher.does([&] { done = get_runtime().flush(std::chrono::nanoseconds(0)); });
    return done;
  }
  /// What the target has now. `messages()` flushes first.
  [[nodiscard]] strings so_far() const { return messages_of(*target); }

  const logger lg = get("races");
  actor thread;
  actor other;
  actor flusher;
};

} // namespace faultline::test
