#include "races/stage.hpp"

#include <atomic>

namespace faultline::test {
namespace {

std::atomic<stage*> the_stage{nullptr}; // acquire and release: publishes the stage to threads of earlier ones

} // namespace

stage::stage() { the_stage.store(this, std::memory_order_release); }
stage::~stage() { the_stage.store(nullptr, std::memory_order_release); }
stage* stage::current() noexcept { return the_stage.load(std::memory_order_acquire); }

void stage::set(race_point here, cue c) {
  const std::lock_guard lock(mutex_);
  cues_[static_cast<std::size_t>(here)] = std::move(c);
}

std::size_t stage::visits(race_point here) const {
  const std::lock_guard lock(mutex_);
  return visits_[static_cast<std::size_t>(here)];
}

void stage::plant(planted_fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.insert(fault);
}

void stage::heal(planted_fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.erase(fault);
}

void stage::reached(race_point here) {
  std::function<void()> action;
  {
    const std::lock_guard lock(mutex_);
    ++visits_[static_cast<std::size_t>(here)];
    cue& c = cues_[static_cast<std::size_t>(here)];
    if (c.once)
      action.swap(c.action);
    else
      action = c.action;
  }
  if (action) action();
}

bool stage::has(planted_fault fault) const {
  const std::lock_guard lock(mutex_);
  return faults_.contains(fault);
}

} // namespace faultline::test

namespace faultline::detail {

void test_point(race_point here) noexcept {
  if (test::stage* const s = test::stage::current()) s->reached(here);
}

bool is_planted(planted_fault fault) noexcept {
  const test::stage* const s = test::stage::current();
  return s != nullptr && s->has(fault);
}

} // namespace faultline::detail
