#include "scope_model/verdict.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "scope_model/invariants.hpp"
#include "scope_model/player.hpp"

namespace faultline::scope_model {
namespace {

/// Roomy programs have it always, others when no count says otherwise. A scope that writes when it is full
/// also writes when the buffer is, which no count tells.
bool had_room(const program& p, const runtime_stats& s) {
  return p.roomy || (s.forgotten == 0 && s.contexts_refused == 0 && s.contexts_suppressed == 0 &&
                     s.outbox_full == 0 && std::none_of(p.steps.begin(), p.steps.end(), [](const step& one) {
                       return one.what == verb::begin && one.flag;
                     }));
}

} // namespace

std::string wrong_with(const program& p, const expectation& expected, const outcome& seen) {
  std::string wrong = p.roomy ? std::string() : broken(expected, seen);
  if (wrong.empty() && had_room(p, seen.stats)) wrong = difference(expected.exact, seen);
  return wrong;
}

std::string wrong_with(const program& p, mistake in_reference) {
  try {
    return wrong_with(p, expect(p, in_reference), play_apart(p));
  } catch (const std::exception& e) {
    return fmt::format("the library throws: {}\n", e.what());
  }
}

} // namespace faultline::scope_model
