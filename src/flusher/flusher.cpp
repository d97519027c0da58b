#include "flusher/flusher.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include "base/deadline.hpp"
#include "base/sigpipe_guard.hpp"
#include "base/test_point.hpp"

namespace faultline::detail {

flusher::flusher(generation& threads, const runtime_options& options)
    : threads_(threads), options_(options), round_(threads, options, counts_), rests_(options_) {
  options_.default_target = {}; // the runtime keeps it: what a forked child leaves behind must not
}

flusher::~flusher() { stop(std::chrono::hours(24)); }

void flusher::start() {
  if (options_.flusher == flusher_mode::manual) return;
  // The thread takes no signals: they are the program's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    from_parent_.clear(); // the handlers hear of the fork from the attempt that succeeds
    state_ = state::ended;
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "faultline");
}

/// `all`: somebody waits for the round.
round::outcome flusher::run_round(bool all) {
  std::vector<handler_ptr> reopening;
  std::vector<handler_ptr> orphans;
  std::optional<runtime_options> others;
  {
    const std::lock_guard lock(mutex_);
    others.swap(to_take_over_);
    if (others) std::swap(options_, *others);
    reopening.swap(to_reopen_);
    orphans.swap(from_parent_);
  }
  const barred_section barred;
  for (const handler_ptr& h : orphans) round_.forget_parent(*h);
  if (!reopening.empty()) round_.reopen(reopening);
  if (others) round_.take_over(options_);
  try {
    return round_.run(all);
  } catch (const std::exception&) { // no memory: what was taken is written as far as it went; the next round
                                    // goes on
    return {};
  }
}

void flusher::run() {
  constexpr std::chrono::nanoseconds longest_when_waited_for = std::chrono::microseconds(100);
  const barred_section barred;
  std::unique_lock lock(mutex_);
  while (state_ == state::running) {
    const std::uint64_t ticket = tickets_;
    const bool waited_for = ticket > fulfilled_;
    lock.unlock();
    const round::outcome outcome = run_round(waited_for);
    lock.lock();
    if (outcome.complete && ticket > fulfilled_) {
      fulfilled_ = ticket;
      done_.notify_all();
    }
    auto longest = rests_.after(outcome);
    if (state_ != state::running || (tickets_ > fulfilled_ && outcome.complete) || longest.count() == 0)
      continue;
    // A round that was not complete waits for a thread in the middle of a hand-over or for a target: at once
    // would spin.
    if (tickets_ > fulfilled_) longest = std::min(longest, longest_when_waited_for);
    // Under the mutex: whoever changes what it guards from here on finds a flusher that rests.
    threads_.rest.begin();
    const bool has_orders = to_take_over_ || !to_reopen_.empty();
    if (!has_orders && (tickets_ == ticket || tickets_ == fulfilled_)) {
      lock.unlock();
      const bool pressed = round_.is_pressed();
      if (!pressed || !outcome.complete)
        threads_.rest.sleep(pressed ? std::min(longest, longest_when_waited_for) : longest);
      lock.lock();
    }
    threads_.rest.end();
  }
  lock.unlock();
  drain();
  lock.lock();
  state_ = state::ended;
  done_.notify_all();
}

void flusher::drain() {
  threads_.accepting.store(false, std::memory_order_relaxed);
  // What threads handed over before they saw the flag is in the queue or about to be: rounds until one finds
  // everything written and nothing new, or the time is up. Handlers that have something left meanwhile get a
  // few rounds more, and then their last flush.
  constexpr std::chrono::milliseconds patience(100);
  const clock::time_point begin = clock::now();
  clock::time_point handlers_until = clock::time_point::max();
  bool written = false;
  for (bool over = false; !over;) {
    const round::outcome outcome = run_round(true);
    const auto now = clock::now();
    written = outcome.written && !outcome.worked;
    if (!written)
      handlers_until = clock::time_point::max();
    else if (handlers_until == clock::time_point::max())
      handlers_until = now + patience;
    over = outcome.complete && (!outcome.worked || is_planted(planted_fault::drain_is_one_round));
    // What wrote all that it found is followed by one that finds that there is no more, or little.
    over = over || now >= handlers_until ||
           (now >= just_before(stop_until_.load(std::memory_order_relaxed), begin) &&
            !(outcome.written && outcome.worked));
    if (!over && !outcome.complete) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  const barred_section barred;
  try {
    drained_ = round_.end(stop_until_) && written;
  } catch (const std::exception&) {
    drained_ = false;
  }
}

flusher::turn::turn(flusher& owner, clock::time_point until) : owner_(owner) {
  std::unique_lock lock(owner_.mutex_);
  taken_ = owner_.done_.wait_until(lock, until, [&] {
    test_point(race_point::turn_awaited);
    return !owner_.in_turn_;
  });
  if (taken_) owner_.in_turn_ = true;
}

flusher::turn::~turn() {
  if (!taken_) return;
  const std::lock_guard lock(owner_.mutex_);
  owner_.in_turn_ = false;
  owner_.done_.notify_all();
}

bool flusher::flush_by_hand(clock::time_point until) {
  do {
    const turn mine(*this, until);
    if (!mine) return false;
    const write_signals_guard guard;
    if (run_round(true).complete) return true;
  } while (clock::now() < until);
  return false;
}

bool flusher::stop_by_hand(clock::time_point until) {
  const turn mine(*this, until);
  threads_.accepting.store(false, std::memory_order_relaxed);
  if (!mine) return false;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == state::ended) return drained_;
    state_ = state::stopping;
    // Whoever waits for the turn has a deadline of his own.
    stop_until_.store(until, std::memory_order_relaxed);
  }
  const write_signals_guard guard;
  drain();
  const std::lock_guard lock(mutex_);
  state_ = state::ended;
  return drained_;
}

bool flusher::run_once() {
  const turn mine(*this, clock::time_point::max());
  const write_signals_guard guard;
  return run_round(false).worked;
}

namespace {

std::chrono::steady_clock::time_point after(std::chrono::nanoseconds deadline) noexcept {
  constexpr std::chrono::hours longest(24 * 365);
  return std::chrono::steady_clock::now() +
         std::clamp(deadline, std::chrono::nanoseconds(0), std::chrono::nanoseconds(longest));
}

} // namespace

bool flusher::flush(std::chrono::nanoseconds deadline) {
  const auto until = after(deadline);
  std::unique_lock lock(mutex_);
  if (state_ != state::running) return false;
  if (options_.flusher == flusher_mode::manual) {
    lock.unlock();
    return flush_by_hand(until);
  }
  const std::uint64_t mine = ++tickets_;
  ++waiting_;
  threads_.rest.interrupt();
  done_.wait_until(lock, until, [&] {
    test_point(race_point::flush_awaited);
    return fulfilled_ >= mine || state_ == state::ended;
  });
  const bool done = fulfilled_ >= mine;
  // The last to give up takes all tickets back, or the flusher would go on for them: without rest, and with
  // handlers that put out at once what they would rather gather.
  if (--waiting_ == 0) fulfilled_ = tickets_;
  return done;
}

bool flusher::stop(std::chrono::nanoseconds deadline) {
  const auto until = after(deadline);
  if (this_thread_is_barred()) return false;
  std::unique_lock lock(mutex_);
  if (state_ != state::ended && !thread_.joinable()) {
    lock.unlock();
    return stop_by_hand(until);
  }
  stop_until_.store(std::max(stop_until_.load(std::memory_order_relaxed), until), std::memory_order_relaxed);
  if (state_ == state::running) state_ = state::stopping;
  threads_.rest.interrupt();
  const bool has_ended = done_.wait_until(lock, until, [&] {
    test_point(race_point::stop_awaited);
    return state_ == state::ended;
  });
  if (!has_ended) {
    threads_.accepting.store(false, std::memory_order_relaxed); // releases threads that wait for room
    return false;
  }
  if (thread_.joinable()) {
    std::thread ending = std::move(thread_);
    lock.unlock();
    ending.join();
  }
  return drained_;
}

bool flusher::ended() {
  const std::lock_guard lock(mutex_);
  return state_ == state::ended;
}

void flusher::reopen(std::vector<handler_ptr> handlers) {
  const std::lock_guard lock(mutex_);
  to_reopen_ = std::move(handlers);
  threads_.rest.interrupt();
}

void flusher::take_over(runtime_options options) {
  options.default_target = {}; // as above
  const std::lock_guard lock(mutex_);
  to_take_over_ = std::move(options);
  threads_.rest.interrupt();
}

} // namespace faultline::detail
