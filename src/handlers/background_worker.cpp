#include "handlers/background_worker.hpp"

#include <algorithm>
#include <exception>

#include "base/deadline.hpp"
#include "handlers/handler_access.hpp"

namespace faultline::detail {
namespace {

/// Empty where there is no memory for the text.
std::string text_of(const char* what) noexcept {
  try {
    return what;
  } catch (...) {
    return {};
  }
}

} // namespace

bool background_worker::is_full() const {
  const std::lock_guard held(mutex_);
  return bytes_ >= spool_bytes_;
}

bool background_worker::add(std::unique_ptr<const batch_copy> records) {
  const std::size_t bytes = records->bytes();
  const std::lock_guard held(mutex_);
  if (bytes_ != 0 && bytes_ + bytes > spool_bytes_) return false;
  waiting_.push_back(std::move(records));
  bytes_ += bytes;
  // The round's flush wakes the thread, so that it finds the round's batches together, unless there are many.
  if (bytes_ > spool_bytes_ / 2) work_.notify_one();
  return true;
}

void background_worker::flush(bool all) {
  const std::lock_guard held(mutex_);
  if (has_nothing_to_do()) return;
  all_wanted_ = all_wanted_ || all;
  if (all_wanted_ || !waiting_.empty()) work_.notify_one();
}

void background_worker::reopen() {
  const std::lock_guard held(mutex_);
  reopen_wanted_ = true;
  work_.notify_one();
}

bool background_worker::is_idle() const {
  const std::lock_guard held(mutex_);
  return has_nothing_to_do();
}

bool background_worker::has_news() const {
  const std::lock_guard held(mutex_);
  return lost_ != 0 || errors_ != 0;
}

std::uint64_t background_worker::take_lost() {
  const std::lock_guard held(mutex_);
  return std::exchange(lost_, 0);
}

std::string background_worker::take_error() {
  const std::lock_guard held(mutex_);
  if (errors_ == 0) return {};
  std::string told = error_.empty() ? std::string("no memory for what it threw") : error_;
  if (errors_ > 1) told += " (and " + std::to_string(errors_ - 1) + " more)";
  error_.clear();
  errors_ = 0;
  return told;
}

bool background_worker::has_nothing_to_do() const noexcept {
  return waiting_.empty() && !at_work_ && !inner_pending_ && !reopen_wanted_;
}

bool background_worker::finish(clock::time_point until, bool for_good) {
  lock held(mutex_);
  ending_ = ending_ || for_good;
  finishing_ = !has_nothing_to_do();
  finish_until_ = just_before(until);
  work_.notify_one();
  if (!gave_up_) done_.wait_until(held, until, [this] { return !finishing_; });
  if (!finishing_) return true;
  give_up();
  return false;
}

/// What the inner handler is writing, or took and has not flushed, may be written yet, or never; nobody will
/// be there to be told.
void background_worker::give_up() noexcept {
  for (const auto& records : waiting_) {
    lost_ += records->size();
    bytes_ -= records->bytes();
  }
  waiting_.clear();
  const std::uint64_t in_hands = in_work_ + unflushed_;
  lost_ += in_hands;
  counted_ += in_hands;
  in_work_ = unflushed_ = 0;
  all_wanted_ = reopen_wanted_ = finishing_ = false;
  gave_up_ = at_work_;
}

void background_worker::run() noexcept {
  handler_access::bar_this_thread();
  lock held(mutex_);
  const auto is_wanted = [this] {
    return !waiting_.empty() || all_wanted_ || reopen_wanted_ || finishing_ || ending_;
  };
  std::chrono::milliseconds pause = first_pause;
  while (!is_over()) {
    if (!inner_pending_)
      work_.wait(held, is_wanted);
    else if (!work_.wait_for(held, pause, is_wanted))
      pause = std::min(2 * pause, longest_pause);
    else
      pause = first_pause;
    if (!is_over()) run_round(held);
  }
}

void background_worker::run_round(lock& held) {
  at_work_ = true;
  if (std::exchange(reopen_wanted_, false)) call_inner(held, [this] { inner_->reopen(); });
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) write_front(held);
  if (!is_over()) {
    const bool finishing = finishing_ && waiting_.empty(); // else the next round finishes
    const bool all = std::exchange(all_wanted_, false) || finishing;
    call_inner(held, [&] { all ? inner_->flush_all() : inner_->flush(); });
    if (finishing && finishing_ && inner_pending_) finish_inner(held);
    if (!inner_pending_) unflushed_ = 0;
    if (finishing && std::exchange(finishing_, false)) done_.notify_all();
  }
  at_work_ = gave_up_ = false;
  if (has_nothing_to_do()) all_wanted_ = false; // it came too late to matter
}

/// As the flusher ends with its handlers: one that is pending still may only have something to report. What
/// the inner one still has afterwards, and did not count itself, nobody will put out.
void background_worker::finish_inner(lock& held) {
  call_inner(held, [this, until = finish_until_] { inner_->last_flush(until); });
  if (inner_pending_) call_inner(held, [this] { inner_->flush(); });
  if (inner_pending_) lost_ += std::exchange(unflushed_, 0); // none, if `finish` has given up and counted it
}

void background_worker::write_front(lock& held) {
  const std::unique_ptr<const batch_copy> records = std::move(waiting_.front());
  waiting_.pop_front();
  in_work_ = records->size();
  call_inner(held, [&] { handler_access::write(*inner_, records->view()); });
  unflushed_ += std::exchange(in_work_, 0);
  bytes_ -= records->bytes();
}

/// As the flusher guards its calls.
template <class Call> void background_worker::call_inner(lock& held, Call&& call) noexcept {
  held.unlock();
  const std::uint64_t lost_before = inner_->lost();
  const std::uint64_t dropped_before = inner_->dropped();
  bool has_thrown = false;
  std::string what;
  try {
    call();
  } catch (const std::exception& e) {
    has_thrown = true;
    what = text_of(e.what());
  } catch (...) {
    has_thrown = true;
    what = text_of("the inner handler threw something that is no std::exception");
  }
  const bool is_pending = inner_->pending();
  held.lock();
  inner_pending_ = is_pending;
  const std::uint64_t lost = inner_->lost() - lost_before;
  const std::uint64_t of_the_batch = std::min(in_work_, lost - (inner_->dropped() - dropped_before));
  in_work_ -= of_the_batch;
  unflushed_ -= std::min(unflushed_, lost - of_the_batch);
  lost_ += lost - std::min(lost, std::exchange(counted_, 0));
  if (has_thrown && errors_++ == 0) error_ = std::move(what);
}

} // namespace faultline::detail
