// A handler that hangs in `write` until the test lets it go on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <faultline/handler.hpp>

namespace faultline::test {

class gated_handler final : public handler {
 public:
  /// Called in `write`, behind the gate.
  std::function<void()> behind_gate;

  void open() {
    const std::lock_guard held(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void close() {
    const std::lock_guard held(mutex_);
    open_ = false;
  }
  /// Returns when somebody hangs at the gate.
  void wait_for_one_that_hangs() {
    std::unique_lock held(mutex_);
    changed_.wait(held, [this] { return hangs_; });
  }

  [[nodiscard]] std::vector<std::string> messages() const {
    const std::lock_guard held(mutex_);
    return messages_;
  }
  [[nodiscard]] std::size_t writes() const {
    const std::lock_guard held(mutex_);
    return writes_;
  }
  [[nodiscard]] std::thread::id thread() const {
    const std::lock_guard held(mutex_);
    return thread_;
  }
  /// True when two threads were in it at once.
  [[nodiscard]] bool was_crowded() const { return crowded_; }

  void write(const batch& records) override {
    const visit here(*this);
    std::unique_lock held(mutex_);
    hangs_ = !open_;
    changed_.notify_all();
    changed_.wait(held, [this] { return open_; });
    hangs_ = false;
    if (behind_gate) behind_gate();
    for (const record_view& r : records) messages_.emplace_back(r.message());
    ++writes_;
    thread_ = std::this_thread::get_id();
  }
  void flush() override { const visit here(*this); }
  void after_fork() override {
    new (&mutex_) std::mutex; // the parent's thread may hang at the gate
    new (&changed_) std::condition_variable;
    new (&messages_) std::vector<std::string>;
    writes_ = 0;
    inside_ = 0;
    open_ = true;
  }

 private:
  class visit {
   public:
    explicit visit(gated_handler& h) : h_(h) {
      if (h_.inside_++ != 0) h_.crowded_ = true;
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() { --h_.inside_; }

   private:
    gated_handler& h_;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  bool hangs_ = false;
  std::vector<std::string> messages_;
  std::size_t writes_ = 0;
  std::thread::id thread_;
  std::atomic<int> inside_{0};
  std::atomic<bool> crowded_{false};
};

inline std::shared_ptr<gated_handler> open_gate() {
  auto made = std::make_shared<gated_handler>();
  made->open();
  return made;
}

} // namespace faultline::test
