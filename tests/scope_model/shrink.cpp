#include "scope_model/shrink.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace faultline::scope_model {
namespace {

/// Leaves out runs of steps, long ones first. True when it could.
bool leave_out(program& p, const std::function<bool(const program&)>& fails) {
  bool smaller = false;
  for (std::size_t length = std::max<std::size_t>(p.steps.size() / 2, 1); length > 0; length /= 2) {
    for (std::size_t at = 0; at + length <= p.steps.size();) {
      program candidate = p;
      const auto first = candidate.steps.begin() + static_cast<std::ptrdiff_t>(at);
      candidate.steps.erase(first, first + static_cast<std::ptrdiff_t>(length));
      if (fails(candidate)) {
        p = std::move(candidate);
        smaller = true;
      } else {
        at += length;
      }
    }
  }
  return smaller;
}

/// Ways to make a step simpler; one that changes nothing is none.
constexpr std::array<void (*)(step&), 13> simplifications{
    [](step& s) { s.logger = 0; },
    [](step& s) { s.logger = std::min<std::size_t>(s.logger, 1); },
    [](step& s) { s.handler = 0; },
    [](step& s) { s.scope = 0; },
    [](step& s) { s.flag = false; },
    [](step& s) { s.named = false; },
    [](step& s) { s.pin_first = 0; },
    [](step& s) { s.passes_through = false; },
    [](step& s) { s.expects = expected_errors::none; },
    [](step& s) { s.budget_ms = 0; },
    [](step& s) { s.number = s.what == verb::begin ? 100
                             : s.what == verb::log ? 0
                                                   : 1; },
    [](step& s) { s.at = s.what == verb::begin ? level::error : level::debug; },
    [](step& s) { s.what = s.what == verb::tell || s.what == verb::unwind ? verb::end : s.what; },
};

bool simplify(program& p, const std::function<bool(const program&)>& fails) {
  bool simpler = false;
  if (program candidate = p; std::exchange(candidate.holds_outside, false) && fails(candidate)) {
    p = std::move(candidate);
    simpler = true;
  }
  for (std::size_t i = 0; i < p.steps.size(); ++i)
    for (const auto change : simplifications) {
      program candidate = p;
      change(candidate.steps[i]);
      if (candidate.steps[i] == p.steps[i] || !fails(candidate)) continue;
      p = std::move(candidate);
      simpler = true;
    }
  return simpler;
}

} // namespace

program shrink(program p, const std::function<bool(const program&)>& fails) {
  bool changed = true;
  while (changed) {
    changed = leave_out(p, fails);
    changed = simplify(p, fails) || changed;
  }
  return p;
}

} // namespace faultline::scope_model
