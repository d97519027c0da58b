#include "flusher/delivery.hpp"

#include <algorithm>
#include <exception>

#include "base/clock.hpp"
#include "buffer/thread_slot.hpp"

namespace faultline::detail {

template <class Call> bool delivery::guarded(Call&& call) noexcept {
  try {
    call();
    return true;
  } catch (const std::exception& e) {
    errors_.add(error_log::kind::handler, e.what(), monotonic_nanoseconds());
  } catch (...) {
    errors_.add(error_log::kind::handler, "threw something that is no std::exception",
                monotonic_nanoseconds());
  }
  detail::add(counts_.handler_errors, 1);
  return false;
}

record_view& delivery::next(std::span<handler* const> targets) {
  const bool same = targets.size() == run_targets_.size() && targets.front() == run_targets_.front() &&
                    std::equal(targets.begin() + 1, targets.end(), run_targets_.begin() + 1);
  if (!same) {
    settle();
    run_targets_.assign(targets.begin(), targets.end());
  }
  return gathered_ < run_.size() ? run_[gathered_] : run_.emplace_back();
}

bool delivery::write(handler& target, const batch& records) {
  settle();
  return guarded([&] {
    touch(target);
    target.write(records);
  });
}

void delivery::touch(handler& h) {
  if (std::find(touched_.begin(), touched_.end(), &h) == touched_.end()) touched_.push_back(&h);
}

void delivery::settle() {
  if (gathered_ == 0) return;
  bool accepted = false;
  for (handler* target : run_targets_)
    accepted = guarded([&] {
                 touch(*target);
                 target->write(batch({run_.data(), gathered_}));
               }) ||
               accepted;
  detail::add(accepted ? counts_.written : counts_.lost, gathered_);
  gathered_ = 0;
}

bool delivery::flush_handlers(bool all) {
  for (handler* h : touched_) guarded([h, all] { all ? h->flush_all() : h->flush(); });
  std::erase_if(touched_, [](const handler* h) { return !h->pending(); });
  return !touched_.empty();
}

bool delivery::finish_handlers() {
  for (handler* h : touched_) guarded([h] { h->last_flush(); });
  std::erase_if(touched_, [](const handler* h) { return !h->pending(); });
  return !touched_.empty();
}

void delivery::after_fork(handler& h) noexcept {
  guarded([&h] { h.after_fork(); });
}

void delivery::reopen(handler& h) noexcept {
  guarded([&h] { h.reopen(); });
}

} // namespace faultline::detail
