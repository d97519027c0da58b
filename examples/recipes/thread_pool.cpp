// Work that goes to a pool of threads. A scope belongs to the thread and the block that made it, so each task
// opens one of its own where it runs, and what connects the two stories travels with the task: a trace id.
// The failure travels back by the future, and fails the scope of the one who waits for it as well.
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("shop");

class thread_pool {
 public:
  explicit thread_pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i)
      threads_.emplace_back([this](std::stop_token stop) { work(stop); });
  }

  /// Runs `f` in a scope of its own on one of the threads, in the trace of the scope that is open here.
  template <class F> auto submit(const char* name, F f) {
    std::packaged_task<decltype(f())()> task([name, from = faultline::current_trace(), f = std::move(f)] {
      faultline::error_scope scope(logger, {.name = name});
      if (from) scope.trace(from->child());
      return f();
    });
    auto result = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.emplace_back([t = std::make_shared<decltype(task)>(std::move(task))] { (*t)(); });
    }
    more_.notify_one();
    return result;
  }

 private:
  void work(const std::stop_token& stop) {
    faultline::default_runtime().attach_thread(); // so that no task pays for it
    std::unique_lock lock(mutex_);
    while (more_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any more_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::jthread> threads_; // joined first
};

void order(thread_pool& pool, int id, int pieces) {
  faultline::error_scope scope(logger, {.name = "order"});
  scope.trace({{0x4b, 0xf9, static_cast<std::uint8_t>(id)}, {0x01}}); // elsewhere make_trace_context()
  FAULTLINE_DEBUG(logger, "order {}: {} pieces", id, pieces);
  auto reserved = pool.submit("reserve", [pieces] {
    FAULTLINE_DEBUG(logger, "looking for {} pieces", pieces);
    if (pieces > 10) throw std::runtime_error("no stock");
    return pieces;
  });
  reserved.wait();
  faultline::flush(); // for this example only: two threads' dumps come in no fixed order
  FAULTLINE_DEBUG(logger, "{} pieces reserved", reserved.get()); // throws what the task threw
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(
      faultline::make_text_formatter("{level:<5} {scope:<7} {trace_id:.6} {message}", {.envelope = false}));
  faultline::start({.default_target = out});

  thread_pool pool(2);
  order(pool, 1, 3);
  try {
    order(pool, 2, 30);
  } catch (const std::exception&) {
  }
}

// Outputs:
// DEBUG reserve 4bf902 looking for 30 pieces
// ERROR reserve 4bf902 call failed
// DEBUG order   4bf902 order 2: 30 pieces
// ERROR order   4bf902 call failed
