#include "flusher/delivery.hpp"

#include <algorithm>
#include <exception>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "buffer/thread_slot.hpp"
#include "handlers/handler_access.hpp"

namespace faultline::detail {

template <class Call> bool delivery::guarded(const handler& called, Call&& call) noexcept {
  const auto report = [&](std::string_view what) {
    errors_.add(error_log::kind::handler, &called, what, monotonic_nanoseconds());
  };
  try {
    call();
    return true;
  } catch (const std::exception& e) {
    report(e.what());
  } catch (...) {
    report("threw something that is no std::exception");
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
  return give(target, records);
}

/// True when it accepted the batch, which it may have lost all the same.
bool delivery::give(handler& h, const batch& records) noexcept {
  const std::uint64_t lost = h.lost();
  const bool accepted = guarded(h, [&] {
    touch(h);
    handler_access::write(h, records);
  });
  note_refusal(h, !accepted || h.lost() != lost);
  return accepted;
}

void delivery::note_refusal(const handler& h, bool refuses) noexcept {
  if (!refuses && refusing_ == 0) return;
  for (known_handler& k : known_)
    if (k.target == &h && k.refuses != refuses) {
      k.refuses = refuses;
      refusing_ += refuses ? 1 : std::size_t{0} - 1;
    }
}

bool delivery::refuses(const handler& h) const noexcept {
  return std::any_of(known_.begin(), known_.end(),
                     [&h](const known_handler& k) { return k.target == &h && k.refuses; });
}

bool delivery::write_line(handler& target, level l, const site_facts& where, std::string_view text) {
  record_view view;
  view.level = l;
  view.logger = "faultline";
  view.time = std::chrono::system_clock::now();
  view.site = &where;
  view.text = text;
  return write(target, batch({&view, 1}));
}

void delivery::touch(handler& h) {
  if (std::find(touched_.begin(), touched_.end(), &h) != touched_.end()) return;
  touched_.push_back(&h);
  const auto same = [&h](const known_handler& k) { return k.target == &h; };
  if (std::none_of(known_.begin(), known_.end(), same)) known_.push_back({&h, h.lost(), 0, false, 0});
}

void delivery::settle() {
  if (gathered_ == 0) return;
  bool accepted = false;
  for (handler* target : run_targets_) accepted = give(*target, batch({run_.data(), gathered_})) || accepted;
  detail::add(accepted ? counts_.written : counts_.lost, gathered_);
  gathered_ = 0;
}

bool delivery::flush_handlers(bool all) {
  for (handler* h : touched_) {
    const std::uint64_t lost = h->lost();
    guarded(*h, [h, all] { all ? h->flush_all() : h->flush(); });
    if (h->lost() != lost) note_refusal(*h, true); // it took the text, and could not put it out
  }
  std::erase_if(touched_, [](const handler* h) { return !h->pending(); });
  return !touched_.empty();
}

bool delivery::finish_handlers(const std::atomic<clock::time_point>& until) {
  std::uint64_t lost = 0;
  auto waiting = static_cast<clock::rep>(touched_.size());
  for (handler* h : touched_) {
    const clock::time_point end = end_of_share(just_before(until.load(std::memory_order_relaxed)), waiting--);
    if (!h->pending()) continue; // it is inside another one, too, which has let it finish
    const std::uint64_t before = h->lost();
    guarded(*h, [&] { h->last_flush(end); });
    if (h->pending()) guarded(*h, [h] { h->flush(); }); // perhaps it has only something to report
    lost += h->lost() - before;
  }
  std::erase_if(touched_, [](const handler* h) { return !h->pending(); });
  return lost != 0 || !touched_.empty();
}

void delivery::after_fork(handler& h) noexcept {
  guarded(h, [&h] { handler_access::after_fork(h); });
}

void delivery::reopen(handler& h) noexcept {
  guarded(h, [&] {
    touch(h); // it may have text that waited for this, or something to report
    h.reopen();
  });
}

} // namespace faultline::detail
