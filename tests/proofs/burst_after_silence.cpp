// After idleness nothing is lost: threads are silent, the flusher rests, and then all of them log at once.
//
//   burst_after_silence lines    THREADS COUNT MICROSECONDS_APART SILENCE_MS ROUNDS [never]
//   burst_after_silence failures THREADS COUNT MICROSECONDS_APART SILENCE_MS ROUNDS [never]
//
// `never` takes the wake away (wake_policy::never): the control. Exit status 0 when nothing was lost and each
// failure came with its story, 1 when something was, 2 when the program was called wrongly.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include <faultline/faultline.hpp>

namespace {

using clock_type = std::chrono::steady_clock;

struct plan {
  bool failures = false;
  int threads = 1;
  int count = 0;
  std::chrono::microseconds apart{0};
  std::chrono::milliseconds silence{0};
  int rounds = 1;
};

/// Waits for the next event's time as a server does for a request: by sleeping where there is time for it.
void wait_until(clock_type::time_point due) {
  constexpr std::chrono::microseconds worth_a_sleep(200);
  if (const auto left = due - clock_type::now(); left > worth_a_sleep)
    std::this_thread::sleep_for(left - worth_a_sleep / 2);
  while (clock_type::now() < due) {
  }
}

void burst(faultline::logger lg, const plan& p, int thread, int round) {
  auto due = clock_type::now();
  for (int i = 0; i < p.count; ++i) {
    if (p.failures) {
      FAULTLINE_SCOPE(lg, .name = "request");
      FAULTLINE_DEBUG(lg, "detail {} of {} in {}", i, thread, round);
      FAULTLINE_ERROR(lg, "failed {}", i);
    } else {
      FAULTLINE_INFO(lg, "request {} of client {} to {}: status {} in {} us", i, "192.168.178.21",
                     "/api/v1/articles/4711/price", 200, 1234);
    }
    due += p.apart;
    wait_until(due);
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 7 || argc > 8) {
    std::fprintf(stderr,
                 "usage: %s lines|failures THREADS COUNT MICROSECONDS_APART SILENCE_MS ROUNDS [never]\n",
                 argv[0]);
    return 2;
  }
  plan p;
  p.failures = std::string_view(argv[1]) == "failures";
  p.threads = std::atoi(argv[2]);
  p.count = std::atoi(argv[3]);
  p.apart = std::chrono::microseconds(std::atoi(argv[4]));
  p.silence = std::chrono::milliseconds(std::atoi(argv[5]));
  p.rounds = std::atoi(argv[6]);

  char folder[] = "/tmp/burst.XXXXXX";
  if (::mkdtemp(folder) == nullptr) return 2;
  const std::string path = std::string(folder) + "/burst.log";
  const auto lg = faultline::get_logger("srv");
  faultline::runtime_options options{.default_target = faultline::make_file_handler(path)};
  if (argc == 8) options.wake = faultline::wake_policy::never;
  faultline::start(std::move(options));
  if (!p.failures) {
    const auto lines = faultline::make_file_handler(path + ".lines");
    lines->set_level(faultline::level::info);
    lg.add_handler(lines);
  }

  std::atomic<int> round{-1};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < p.threads; ++t)
    threads.emplace_back([&, t] {
      faultline::default_runtime().attach_thread();
      for (int r = 0; r < p.rounds; ++r) {
        while (round.load(std::memory_order_acquire) < r)
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        burst(lg, p, t, r);
        done.fetch_add(1, std::memory_order_release);
      }
    });
  for (int r = 0; r < p.rounds; ++r) {
    // Another moment of the flusher's rest in each round.
    std::this_thread::sleep_for(p.silence + std::chrono::milliseconds(7) * r);
    round.store(r, std::memory_order_release);
    while (done.load(std::memory_order_acquire) < p.threads * (r + 1))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::thread& t : threads) t.join();
  const bool flushed = faultline::flush();
  const faultline::runtime_stats s = faultline::stats();
  const auto expected = static_cast<std::uint64_t>(p.threads) * static_cast<std::uint64_t>(p.count) *
                        static_cast<std::uint64_t>(p.rounds);
  const std::uint64_t missing = p.failures ? expected - s.dumps : s.lost;
  std::printf("%llu %s on %d threads, %lld us apart, after silence: %llu %s\n",
              static_cast<unsigned long long>(expected), p.failures ? "failures" : "lines", p.threads,
              static_cast<long long>(p.apart.count()), static_cast<unsigned long long>(missing),
              p.failures ? "without their story" : "lost");
  std::fflush(stdout);
  (void)::unlink(path.c_str());
  (void)::unlink((path + ".lines").c_str());
  (void)::rmdir(folder);
  return flushed && missing == 0 && s.contexts_suppressed == 0 ? 0 : 1;
}
