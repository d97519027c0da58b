// No allocation and no lock where threads log: the functions that do either are counted on a logging thread,
// from the moment it is attached. And where its every allocation fails, it writes the same.
//
//   no_allocation_no_lock RECORDS HAND_OVERS
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

#include "statement_kinds.hpp"
#include "watched_calls.hpp"

namespace faultline::proofs {
namespace {

runtime_options options_with(const handler_ptr& target, clock_kind clock) {
  // Small, so that rings and buffers run out as well.
  return {.default_target = target,
          .buffers_per_thread = 3,
          .clock = clock,
          .outbox_bytes = 32U << 10,
          .busy_interval = std::chrono::microseconds(50),
          .storm_dumps_per_second = 0,
          .wake = wake_policy::never};
}

/// One thread logs while another flushes, so that each failure finds a free buffer. `log(n)` must be one
/// hand-over.
class paced {
 public:
  /// Called by the logging thread before each hand-over.
  void wait(std::uint64_t hand_overs) const {
    while (taken_.load(std::memory_order_relaxed) + 2 < hand_overs + 1) std::this_thread::yield();
  }
  template <class Body> void run(runtime& r, Body&& body) {
    std::thread logging([&] {
      body();
      over_.store(true, std::memory_order_release);
    });
    while (!over_.load(std::memory_order_acquire)) {
      // Counted first: one made after the flush has looked is not taken by it.
      const std::uint64_t handed_over = r.stats().hand_overs;
      (void)r.flush();
      taken_.store(handed_over, std::memory_order_relaxed);
    }
    logging.join();
    (void)r.flush();
  }

 private:
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<bool> over_{false};
};

bool report(const char* what, const call_counts& seen, const call_counts& wanted) {
  const bool good = seen == wanted;
  std::printf("%s %-58s allocations %llu, locks %llu, system calls %llu\n", good ? "ok    " : "WRONG ", what,
              static_cast<unsigned long long>(seen.allocations), static_cast<unsigned long long>(seen.locks),
              static_cast<unsigned long long>(seen.system_calls));
  return good;
}

/// All kinds of records and scopes, and failures that find a free buffer and such that do not.
bool prove(clock_kind clock, const char* name, std::uint64_t records, std::uint64_t hand_overs) {
  std::atomic<bool> hanging{false};
  runtime r(options_with(make_null_handler(), clock));
  statement_kinds kinds(r, make_callback_handler([&hanging](const batch&) {
                          while (hanging.load(std::memory_order_relaxed)) std::this_thread::yield();
                        }));
  call_counts seen;
  paced pace;
  pace.run(r, [&] {
    r.attach_thread();
    const watched here;
    // From the first statement on: entering a site into the dictionary is included.
    std::uint64_t held = 0;
    for (std::uint64_t n = 0; held < records; ++n, held += statement_kinds::records_in_scope) {
      kinds.succeed(n);
      if (n % 16 == 0) kinds.everything_once(n);
    }
    for (std::uint64_t n = 0; n < hand_overs; ++n) {
      pace.wait(n);
      kinds.fail(n);
      if (n % 16 == 0) kinds.pass(n);
    }
    hanging.store(true, std::memory_order_relaxed); // no buffer, then no room in the outbox
    for (std::uint64_t n = 0; n < 1000; ++n) {
      kinds.fail(n);
      kinds.pass(n);
    }
    hanging.store(false, std::memory_order_relaxed);
    seen = counts_of_this_thread();
  });
  const runtime_stats s = r.stats();
  std::printf(
      "clock %s: %llu statements, %llu hand-overs, %llu passed only, %llu contexts refused, %llu refused by "
      "the outbox\n",
      name, static_cast<unsigned long long>(s.logged), static_cast<unsigned long long>(s.hand_overs),
      static_cast<unsigned long long>(s.passed_only), static_cast<unsigned long long>(s.contexts_refused),
      static_cast<unsigned long long>(s.outbox_full));
  const bool varied = s.logged >= records && s.hand_overs >= hand_overs && s.passed_only > 0 &&
                      s.contexts_refused > 0 && s.outbox_full > 0;
  if (!varied) std::printf("WRONG  the run did not meet everything it is about\n");
  return report("on the logging thread", seen, {}) && varied;
}

/// What a run writes, with memory or without.
std::string text_of_run(bool memory) {
  const auto target = make_memory_handler();
  target->set_formatter(
      make_text_formatter("{level} {logger} {scope} {fields} {trace_id} {message}", {.envelope = false}));
  const auto passed = make_memory_handler();
  passed->set_formatter(make_text_formatter("{level} {logger} {scope} {message}"));
  runtime_options options = options_with(target, clock_kind::tsc);
  options.outbox_bytes = 16U << 20; // room for the whole run: how far the flusher is behind must not show
  runtime r(options);
  statement_kinds kinds(r, passed);
  paced pace;
  pace.run(r, [&] {
    r.attach_thread();
    const auto work = [&] {
      for (std::uint64_t n = 0; n < 200; ++n) {
        kinds.everything_once(n);
        pace.wait(n);
        kinds.fail(n);
      }
    };
    if (memory) return work();
    const without_memory none;
    work();
  });
  return target->text() + passed->text();
}

void print_difference(const std::string& with, const std::string& without) {
  const auto [a, b] = std::mismatch(with.begin(), with.end(), without.begin(), without.end());
  const auto at = static_cast<std::size_t>(a - with.begin());
  const std::size_t from = at < 200 ? 0 : at - 200;
  std::printf("with memory %zu bytes, without %zu; they part at %zu:\n--- with\n%s\n--- without\n%s\n",
              with.size(), without.size(), at, with.substr(from, 400).c_str(),
              without.substr(from, 400).c_str());
}

bool prove_without_memory() {
  const std::string with = text_of_run(true);
  const std::string without = text_of_run(false);
  const bool good = with == without && with.size() > 10'000;
  if (!good) print_difference(with, without);
  std::printf("%s where every allocation fails the same %zu bytes are written\n", good ? "ok    " : "WRONG ",
              with.size());
  return good;
}

/// An exception that escapes costs what C++ takes for it and nothing more.
bool prove_exceptions() {
  runtime r(options_with(make_null_handler(), clock_kind::tsc));
  const logger lg = r.get_logger("thrown");
  const auto cost = [](auto&& call) {
    call(); // the unwinder's own first use
    counts_of_this_thread() = {};
    const watched here;
    call();
    return counts_of_this_thread();
  };
  const auto thrower = [](int n) {
    if (n > 0) throw std::runtime_error("failure");
  };
  const auto guarded = log_if_errors(lg)(thrower);
  const auto caught = [](auto&& f) {
    try {
      f(1);
    } catch (const std::runtime_error&) { // it is the cost that matters
    }
  };
  r.attach_thread();
  const call_counts bare = cost([&] { caught(thrower); });
  const call_counts logged = cost([&] { caught(guarded); });
  const call_counts scoped = cost([&] {
    caught([&](int n) {
      const error_scope scope(lg);
      thrower(n);
    });
  });
  (void)r.flush();
  return report("a throw alone", bare, bare) && report("the same through log_if_errors", logged, bare) &&
         report("the same through an error_scope", scoped, bare);
}

/// The negative control: each thing that is counted, done once on purpose.
bool prove_counting() {
  const auto count = [](auto&& act) {
    counts_of_this_thread() = {};
    const watched here;
    act();
    return counts_of_this_thread();
  };
  std::mutex mutex;
  std::shared_mutex shared;
  void* volatile block = nullptr;
  bool good = report("control: one malloc", count([&] { block = std::malloc(1); }), {1, 0, 0});
  good = report("control: its free", count([&] { std::free(block); }), {1, 0, 0}) && good;
  good = report("control: one new and its delete", count([] { ::operator delete(::operator new(4)); }),
                {2, 0, 0}) &&
         good;
  good = report("control: one lock and its unlock", count([&] { const std::lock_guard held(mutex); }),
                {0, 2, 0}) &&
         good;
  good = report("control: one shared lock", count([&] { shared.lock_shared(); }), {0, 1, 0}) && good;
  good = report("control: one system call", count([] { (void)::syscall(SYS_getppid); }), {0, 0, 1}) && good;
  const without_memory none;
  void* volatile refused =
      std::malloc(1); // volatile: a compiler may take an allocation that nobody uses for granted
  const bool failed = refused == nullptr;
  std::printf("%s control: without memory malloc fails\n", failed ? "ok    " : "WRONG ");
  return good && failed;
}

} // namespace
} // namespace faultline::proofs

int main(int argc, char** argv) {
  using namespace faultline::proofs;
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s RECORDS HAND_OVERS\n", argv[0]);
    return 2;
  }
  const std::uint64_t records = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t hand_overs = std::strtoull(argv[2], nullptr, 10);
  bool good = prove_counting();
  good = prove(faultline::clock_kind::tsc, "tsc", records, hand_overs) && good;
  good = prove(faultline::clock_kind::scope, "scope", records, hand_overs) && good;
  good = prove_exceptions() && good;
  good = prove_without_memory() && good;
  return good ? 0 : 1;
}
