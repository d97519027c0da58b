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

delivery::gathered& delivery::of(handler* target) {
  for (gathered& g : gathered_)
    if (g.target == target) return g;
  return gathered_.emplace_back(gathered{target, {}, {}});
}

void delivery::add(const record_view& view, std::span<handler* const> targets) {
  // What may throw comes first: a record is gathered for all its handlers, or for none and the caller counts
  // it.
  for (handler* target : targets) {
    gathered& g = of(target);
    if (g.views.size() == g.views.capacity()) g.views.reserve(2 * g.views.size() + 16);
    if (g.records.size() == g.records.capacity()) g.records.reserve(2 * g.records.size() + 16);
  }
  const std::size_t index = accepted_.size();
  accepted_.push_back(false);
  for (handler* target : targets) {
    gathered& g = of(target);
    g.views.push_back(view);
    g.records.push_back(index);
  }
}

bool delivery::write(handler& target, const batch& records) {
  for (gathered& g : gathered_)
    if (g.target == &target) write_out(g);
  return guarded([&] {
    touch(target);
    target.write(records);
  });
}

void delivery::write_out(gathered& g) {
  if (g.views.empty()) return;
  const bool good = guarded([&] {
    touch(*g.target);
    g.target->write(batch(g.views));
  });
  if (good)
    for (const std::size_t index : g.records) accepted_[index] = true;
  g.views.clear();
  g.records.clear();
}

void delivery::touch(handler& h) {
  if (std::find(touched_.begin(), touched_.end(), &h) == touched_.end()) touched_.push_back(&h);
}

void delivery::settle() {
  for (gathered& g : gathered_) write_out(g);
  const auto written = static_cast<std::uint64_t>(std::count(accepted_.begin(), accepted_.end(), true));
  detail::add(counts_.written, written);
  detail::add(counts_.lost, accepted_.size() - written);
  accepted_.clear();
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
