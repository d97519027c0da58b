// A signal handler that logs, between any two instructions of a scope's life.
//
// The processor's trap flag raises SIGTRAP after each instruction; the handler logs at the one that it was
// told.
#include <csignal>
#include <cstddef>
#include <functional>
#include <string>

#include <ucontext.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

// ThreadSanitizer keeps signals for later, and on other processors there is no such flag: there the program
// has no such cases.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FAULTLINE_TEST_NO_STEPS
#endif
#endif
#ifndef FAULTLINE_TEST_NO_STEPS

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;

namespace {

constexpr unsigned long trap_flag = 0x100;
std::size_t step_wanted = 0;
std::size_t steps_seen = 0;
std::function<void()> at_step;

void on_trap(int, siginfo_t*, void* context) {
  if (++steps_seen != step_wanted) return;
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  registers[REG_EFL] &= ~static_cast<greg_t>(trap_flag);
  at_step();
}

/// Runs `work` and, after so many of its instructions, `inside` as a signal handler does. False when `work`
/// has fewer.
template <class Work> bool interrupt_at(std::size_t step, std::function<void()> inside, Work&& work) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  REQUIRE(::sigaction(SIGTRAP, &action, &before) == 0);
  step_wanted = step;
  steps_seen = 0;
  at_step = std::move(inside);
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | trap_flag);
  work();
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() &
                                 ~static_cast<unsigned long long>(trap_flag));
  REQUIRE(::sigaction(SIGTRAP, &before, nullptr) == 0);
  return steps_seen >= step;
}

/// Ends a plain scope with one record, with a signal handler at each of its end's instructions in turn.
template <class Inside, class Check>
std::size_t at_each_step_of_an_end(manual_runtime& rt, Inside inside, Check check) {
  const logger lg = rt.get("app");
  std::size_t step = 0;
  for (bool reached = true; reached;) {
    alignas(error_scope) std::byte place[sizeof(error_scope)];
    auto* const scope = new (place) error_scope(lg);
    FAULTLINE_DEBUG(lg, "held");
    reached = interrupt_at(++step, inside, [scope] { scope->~error_scope(); });
    rt.write_all();
    check(step);
  }
  return step;
}

} // namespace

TEST_CASE("a signal handler's record at any instruction of a scope's end is accounted for") {
  manual_runtime rt;
  logger lg = rt.get("app");
  const handler_ptr infos = make_null_handler();
  infos->set_level(level::info);
  lg.add_handler(infos);
  const auto steps = at_each_step_of_an_end(
      rt, [&] { FAULTLINE_INFO(lg, "passed"); },
      [&](std::size_t step) {
        CAPTURE(step);
        REQUIRE(closes(rt.stats()));
      });
  CHECK(steps > 20);
}

#endif
#endif
