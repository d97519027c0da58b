// No system call where threads log: a logging thread gives up the right to make any but the one that ends it,
// and goes on logging. The kernel kills the process at the first it makes (status 159: SIGSYS).
//
// With wake_policy::never that holds whatever it logs. By default it holds for held records, and for trips
// and lines that the flusher keeps up with.
//
//   no_system_call RECORDS HAND_OVERS        figures for each clock and policy
//   no_system_call --control write           makes one under the filter
//   no_system_call --control formatter       makes one inside a statement, in the formatter of an argument
//   no_system_call --control wake            by default, logs more than the flusher, which rests, has taken
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

#include "statement_kinds.hpp"

namespace faultline::proofs {
namespace {

/// An argument whose formatter makes a system call.
struct leaky {};

} // namespace
} // namespace faultline::proofs

template <> struct fmt::formatter<faultline::proofs::leaky> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context> auto format(const faultline::proofs::leaky&, Context& context) const {
    return fmt::format_to(context.out(), "{}", ::syscall(SYS_getppid));
  }
};

namespace faultline::proofs {
namespace {

enum class control { none, write, formatter, wake };

#if defined(__x86_64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#endif

/// From here on the calling thread, and it alone, may make the system call `exit` and no other.
bool forbid_system_calls() {
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_architecture, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// What the logging thread and the one that watches it say to each other.
struct talk {
  std::atomic<std::uint64_t> taken{0};   ///< hand-overs that the flusher dealt with, told by the watcher
  std::atomic<std::uint64_t> records{0}; ///< held so far, told by the logging thread
  std::atomic<bool> filtered{false};
  std::atomic<bool> over{false};
};

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Under the filter. It must not return to the thread's own end, which makes system calls.
[[noreturn]] void log_without_system_calls(statement_kinds& kinds, const logger& lg, talk& t,
                                           std::uint64_t records, std::uint64_t hand_overs,
                                           std::uint64_t before, wake_policy policy, control c) {
  if (c == control::write) (void)!::write(STDERR_FILENO, "a system call\n", 14);
  if (c == control::formatter) {
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "made by {}", leaky{});
  }
  for (std::uint64_t n = 0; c == control::wake; ++n) kinds.fail(n);
  std::uint64_t held = 0;
  for (std::uint64_t n = 0; held < records; ++n, held += statement_kinds::records_in_scope) {
    kinds.succeed(n);
    if (n % 16 == 0 && policy == wake_policy::never) kinds.everything_once(n);
  }
  t.records.store(held, std::memory_order_relaxed);
  for (std::uint64_t n = 0; n < hand_overs; ++n) {
    // Two buffers may be on their way while a third is written to; that is no pressure.
    while (t.taken.load(std::memory_order_relaxed) + 2 < before + n + 1) pause_briefly();
    kinds.fail(n);
    if (n % 16 == 0) kinds.pass(n);
  }
  t.over.store(true, std::memory_order_release);
  ::syscall(SYS_exit, 0);
  __builtin_unreachable();
}

bool prove(clock_kind clock, std::string_view name, wake_policy policy, std::uint64_t records,
           std::uint64_t hand_overs, control c) {
  runtime r({.default_target = make_null_handler(),
             .clock = clock,
             .busy_interval = std::chrono::microseconds(50),
             .storm_dumps_per_second = 0,
             .wake = policy});
  statement_kinds kinds(r, make_null_handler());
  const logger lg = r.get_logger("held");
  talk t;
  constexpr std::uint64_t rehearsal = 4;
  std::thread logging([&] {
    r.attach_thread();
    for (std::uint64_t n = 0; n < rehearsal; ++n) {
      kinds.everything_once(n);
      kinds.fail(n);
      (void)r.flush();
    }
    const std::uint64_t before = r.stats().hand_overs;
    if (!forbid_system_calls()) {
      std::perror("seccomp");
      std::_Exit(2);
    }
    t.filtered.store(true, std::memory_order_release);
    log_without_system_calls(kinds, lg, t, records, hand_overs, before, policy, c);
  });
  while (!t.filtered.load(std::memory_order_acquire)) std::this_thread::yield();
  while (!t.over.load(std::memory_order_acquire)) {
    const std::uint64_t handed_over = r.stats().hand_overs; // counted before the flush that takes them
    (void)r.flush();
    t.taken.store(handed_over, std::memory_order_relaxed);
  }
  logging.join(); // the kernel announces the end of a thread whichever way it came
  if (!r.flush()) return false;
  const runtime_stats s = r.stats();
  const std::uint64_t handed_over = s.hand_overs - rehearsal;
  std::printf("clock %.*s%s: %llu held records, %llu hand-overs, %llu records passed: 0 system calls\n",
              static_cast<int>(name.size()), name.data(),
              policy == wake_policy::never ? "" : ", by default, without pressure",
              static_cast<unsigned long long>(t.records.load(std::memory_order_relaxed)),
              static_cast<unsigned long long>(handed_over), static_cast<unsigned long long>(s.passed_only));
  return t.records.load(std::memory_order_relaxed) >= records && handed_over >= hand_overs &&
         s.passed_only > 0;
}

} // namespace
} // namespace faultline::proofs

int main(int argc, char** argv) {
  using namespace faultline::proofs;
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::uint64_t records = 1000;
  std::uint64_t hand_overs = 10;
  control c = control::none;
  if (argc == 3 && std::string_view(argv[1]) == "--control") {
    const std::string_view which(argv[2]);
    c = which == "write" ? control::write : which == "wake" ? control::wake : control::formatter;
  } else if (argc == 3) {
    records = std::strtoull(argv[1], nullptr, 10);
    hand_overs = std::strtoull(argv[2], nullptr, 10);
  } else {
    std::fprintf(stderr, "usage: %s RECORDS HAND_OVERS | --control write | formatter | wake\n", argv[0]);
    return 2;
  }
  bool good = true;
  for (const faultline::wake_policy policy :
       {faultline::wake_policy::under_pressure, faultline::wake_policy::never})
    good = good && prove(faultline::clock_kind::tsc, "tsc", policy, records, hand_overs, c) &&
           prove(faultline::clock_kind::scope, "scope", policy, records, hand_overs, c);
  return good ? 0 : 1;
}
