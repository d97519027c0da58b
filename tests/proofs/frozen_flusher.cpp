// A flusher that stands still slows nobody: its thread is stopped by ptrace again and again while another
// thread logs and trips, and the logging thread's rate and latency in these times stand beside those between
// them.
//
//   frozen_flusher TURNS MILLISECONDS LEAST_PERCENT MOST_FACTOR
//   frozen_flusher --control TURNS MILLISECONDS LEAST_PERCENT MOST_FACTOR
//
// The medians over all turns must show at least that share of the rate, and at most that factor of the 99.9th
// percentile of a request. The control waits for the flusher where its outbox is full: it must miss the
// first.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <csignal>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

namespace faultline::proofs {
namespace {

using std::chrono::steady_clock;

/// What both processes see.
struct board {
  std::atomic<bool> warm{false};
  std::atomic<bool> over{false};
  std::atomic<unsigned> turn{0};    ///< 0: nothing is measured
  std::atomic<unsigned> noticed{0}; ///< the logging thread's, behind it
  std::atomic<std::uint64_t> hand_overs{0};
  std::atomic<std::uint64_t> refused{0};
  static constexpr std::size_t most_turns = 4096;
  std::array<std::atomic<std::uint64_t>, most_turns> requests{};
  std::array<std::atomic<std::uint32_t>, most_turns> slow{}; ///< the 99.9th percentile of a request, ns
};

/// The latencies of one turn.
class latencies {
 public:
  latencies() : counts_(most_ns / step_ns + 1) {}
  void add(std::uint64_t ns) noexcept {
    ++counts_[std::min<std::uint64_t>(ns, most_ns) / step_ns];
    ++all_;
  }
  [[nodiscard]] std::uint32_t percentile_99_9() const noexcept {
    std::uint64_t beyond = 0;
    for (std::size_t i = counts_.size(); i-- > 0;)
      if ((beyond += counts_[i]) * 1000 > all_) return static_cast<std::uint32_t>(i * step_ns);
    return 0;
  }
  [[nodiscard]] std::uint64_t all() const noexcept { return all_; }
  void clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    all_ = 0;
  }

 private:
  static constexpr std::uint64_t step_ns = 10;
  static constexpr std::uint64_t most_ns = 1'000'000;
  std::vector<std::uint64_t> counts_;
  std::uint64_t all_ = 0;
};

/// One request of 20 records; one in 100 fails, and each passes a record.
void serve(const logger& lg, std::uint64_t n) {
  const error_scope scope(lg);
  for (int i = 0; i < 20; ++i) FAULTLINE_DEBUG(lg, "request {} step {} took {}", n, i, 0.5);
  if (n % 100 == 0) FAULTLINE_ERROR(lg, "request {} failed", n);
}

void tell(const runtime& r, board& shared) {
  const runtime_stats s = r.stats();
  shared.hand_overs.store(s.hand_overs, std::memory_order_relaxed);
  shared.refused.store(s.contexts_refused, std::memory_order_relaxed);
}

/// The process that logs.
int log_until_over(board& shared, bool waits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // when the watcher fails
  runtime r({.default_target = make_null_handler(),
             .outbox_bytes = waits ? std::size_t{4} << 10 : std::size_t{32} << 10,
             .storm_dumps_per_second = 0,
             .on_outbox_full = waits ? outbox_policy::block : outbox_policy::drop});
  logger lg = r.get_logger("app");
  logger access = r.get_logger("access");
  access.add_handler(make_null_handler());
  latencies seen;
  unsigned turn = 0;
  const auto note = [&] {
    if (turn == 0) return;
    shared.slow[turn].store(seen.percentile_99_9(), std::memory_order_relaxed);
    shared.requests[turn].store(seen.all(), std::memory_order_relaxed);
  };
  auto last = steady_clock::now();
  for (std::uint64_t n = 0; !shared.over.load(std::memory_order_relaxed); ++n) {
    serve(lg, n);
    if (n % 64 == 0) FAULTLINE_INFO(access, "request {}", n);
    const auto now = steady_clock::now();
    if (const unsigned next = shared.turn.load(std::memory_order_acquire); next != turn) {
      note();
      seen.clear();
      turn = next;
      shared.noticed.store(turn, std::memory_order_release);
    } else {
      seen.add(static_cast<std::uint64_t>((now - last).count()));
    }
    if (n % 1024 == 0) tell(r, shared);
    if (n == 100'000) shared.warm.store(true, std::memory_order_release);
    last = steady_clock::now();
  }
  return r.stop() ? 0 : 1;
}

/// The thread of that name, once it is there.
pid_t thread_of(pid_t process, std::string_view name) {
  for (;; ::usleep(1000))
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
      std::string text;
      std::ifstream(task.path() / "comm") >> text;
      if (text == name) return static_cast<pid_t>(std::stol(task.path().filename().string()));
    }
}

void check(long result, const char* what) {
  if (result >= 0) return;
  std::perror(what);
  std::exit(2);
}

/// How often the thread of that process was taken off its processor or left it.
std::uint64_t switches_of(pid_t process, pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/status");
  std::uint64_t sum = 0;
  std::uint64_t count = 0;
  for (std::string word; file >> word;)
    if (word.ends_with("ctxt_switches:") && file >> count) sum += count;
  return sum;
}

void freeze(pid_t thread) {
  check(::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr), "ptrace(PTRACE_INTERRUPT)");
  int status = 0;
  check(::waitpid(thread, &status, __WALL), "waitpid");
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

struct figures {
  double rate_percent;
  double slow_factor;
  bool stood_still; ///< and ran between
};

/// Turns come in pairs, the first of them frozen or not by turns.
figures measure(board& shared, pid_t child, pid_t flusher, unsigned pairs, std::chrono::milliseconds length) {
  std::vector<double> rates;
  std::vector<double> slows;
  bool stood_still = true;
  for (unsigned pair = 0; pair < pairs; ++pair) {
    std::array<double, 2> rate{}; // between, and frozen
    std::array<double, 2> slow{};
    for (unsigned n = 0; n < 2; ++n) {
      const bool frozen = (pair + n) % 2 == 1;
      const unsigned turn = 2 * pair + n + 1;
      if (frozen) freeze(flusher);
      ::usleep(20'000); // for the flusher to catch up, where it runs
      const std::uint64_t switches = switches_of(child, flusher);
      const auto begin = steady_clock::now();
      shared.turn.store(turn, std::memory_order_release);
      std::this_thread::sleep_for(length);
      shared.turn.store(0, std::memory_order_release);
      const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
      if (frozen == (switches_of(child, flusher) != switches)) stood_still = false;
      if (frozen) check(::ptrace(PTRACE_CONT, flusher, nullptr, nullptr), "ptrace(PTRACE_CONT)");
      while (shared.noticed.load(std::memory_order_acquire) != 0) ::usleep(100);
      rate[frozen ? 1 : 0] =
          static_cast<double>(shared.requests[turn].load(std::memory_order_relaxed)) / seconds;
      slow[frozen ? 1 : 0] = shared.slow[turn].load(std::memory_order_relaxed);
    }
    rates.push_back(100 * rate[1] / rate[0]);
    slows.push_back(slow[1] / std::max(slow[0], 10.0));
  }
  return {median(rates), median(slows), stood_still};
}

} // namespace
} // namespace faultline::proofs

int main(int argc, char** argv) {
  using namespace faultline::proofs;
  const bool control = argc == 6 && std::string_view(argv[1]) == "--control";
  char** const figure = argv + (control ? 2 : 1);
  if (argc != (control ? 6 : 5)) {
    std::fprintf(stderr, "usage: %s [--control] TURNS MILLISECONDS LEAST_PERCENT MOST_FACTOR\n", argv[0]);
    return 2;
  }
  const auto pairs =
      static_cast<unsigned>(std::clamp(std::atoi(figure[0]), 1, static_cast<int>(board::most_turns / 2 - 1)));
  void* const memory =
      ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(memory == MAP_FAILED ? -1 : 0, "mmap");
  board& shared = *new (memory) board;
  const pid_t child = ::fork();
  check(child, "fork");
  if (child == 0) ::_exit(log_until_over(shared, control));

  const pid_t flusher = thread_of(child, "faultline");
  check(::ptrace(PTRACE_SEIZE, flusher, nullptr, nullptr), "ptrace(PTRACE_SEIZE)");
  while (!shared.warm.load(std::memory_order_acquire)) ::usleep(1000);
  const figures seen =
      measure(shared, child, flusher, pairs, std::chrono::milliseconds(std::atoi(figure[1])));
  freeze(flusher);
  check(::ptrace(PTRACE_DETACH, flusher, nullptr, nullptr), "ptrace(PTRACE_DETACH)");
  shared.over.store(true, std::memory_order_relaxed);
  int status = 0;
  check(::waitpid(child, &status, 0), "waitpid");

  const bool fast = seen.rate_percent >= std::atof(figure[2]);
  const bool even = seen.slow_factor <= std::atof(figure[3]);
  const bool tripped = shared.hand_overs.load(std::memory_order_relaxed) > 0 &&
                       shared.refused.load(std::memory_order_relaxed) > 0;
  const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  std::printf("flusher frozen: %.1f %% of the rate, p99.9 of a request %.2f times; %u turns%s%s%s\n",
              seen.rate_percent, seen.slow_factor, pairs, seen.stood_still ? "" : ", BUT IT WENT ON",
              tripped || control ? "" : ", BUT NOTHING WAS REFUSED", ended ? "" : ", BUT THE PROCESS FAILED");
  if (!seen.stood_still || !ended || (!tripped && !control)) return 2;
  return fast && even ? 0 : 1;
}
