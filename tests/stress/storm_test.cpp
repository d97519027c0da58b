// A storm of errors into a slow handler.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

#include "ledgers.hpp"
#include "scale.hpp"
#include "support/catch.hpp"

namespace faultline::stress {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Resident memory of this process.
std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream file("/proc/self/statm");
  file >> pages >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// The most by which a figure rose above its first one.
class growth {
 public:
  void note(std::size_t now) {
    if (first_ == 0) first_ = now;
    if (now > first_ && now - first_ > most_) most_ = now - first_;
  }
  [[nodiscard]] std::size_t most() const { return most_; }

 private:
  std::size_t first_ = 0;
  std::size_t most_ = 0;
};

/// Counts, and takes its time for each write.
class slow_handler final : public handler {
 public:
  explicit slow_handler(std::chrono::microseconds pause) : pause_(pause) {}

  void write(const batch& records) override {
    const auto until = steady_clock::now() + pause_;
    for (const record_view& r : records) {
      const std::string_view text = r.message();
      served_ += r.logger == "steady" && r.level == level::error ? 1 : 0;
      constexpr std::string_view told = "storm: the context of ";
      if (text.starts_with(told)) suppressed_told_ += std::stoull(std::string(text.substr(told.size())));
    }
    while (steady_clock::now() < until) std::this_thread::yield();
  }
  [[nodiscard]] std::uint64_t served() const { return served_; } ///< once the runtime has stopped
  [[nodiscard]] std::uint64_t suppressed_told() const { return suppressed_told_; }

 private:
  std::chrono::microseconds pause_;
  std::uint64_t served_ = 0;
  std::uint64_t suppressed_told_ = 0;
};

} // namespace

TEST_CASE(
    "in a storm of errors memory stays as it is, what is suppressed is counted, and others are served") {
  const auto slow = std::make_shared<slow_handler>(100us);
  runtime r({.default_target = slow, .storm_dumps_per_second = 10, .storm_burst = 10});
  const auto length = std::chrono::milliseconds(scaled(1500));
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> statements{0};
  std::atomic<std::uint64_t> steady_failures{0};

  std::thread steady([&, lg = r.get_logger("steady")] { // the oldest thread, with an error now and then
    r.attach_thread();
    std::uint64_t n = 0;
    for (; !over.load(); ++n) {
      {
        const error_scope scope(lg);
        FAULTLINE_DEBUG(lg, "before failure {}", n);
        FAULTLINE_ERROR(lg, "failure {}", n);
      }
      std::this_thread::sleep_for(200ms);
    }
    statements.fetch_add(2 * n);
    steady_failures.store(n);
  });
  while (r.stats().threads == 0) std::this_thread::yield();
  std::vector<std::thread> storm;
  for (int t = 0; t < 2; ++t)
    storm.emplace_back([&, lg = r.get_logger("storm")] {
      std::uint64_t n = 0;
      for (; !over.load(std::memory_order_relaxed); ++n) {
        const error_scope scope(lg);
        FAULTLINE_DEBUG(lg, "before error {}", n);
        FAULTLINE_ERROR(lg, "error {}", n);
      }
      statements.fetch_add(2 * n);
    });

  growth memory;
  const auto begin = steady_clock::now();
  while (steady_clock::now() - begin < length) {
    std::this_thread::sleep_for(10ms);
    if (steady_clock::now() - begin > length / 4) memory.note(resident_bytes());
  }
  over.store(true);
  steady.join();
  for (std::thread& t : storm) t.join();
  REQUIRE(r.stop());

  const runtime_stats s = r.stats();
  check_ledgers(s, statements.load());
  CHECK(s.contexts_suppressed > 0);
  CHECK(slow->suppressed_told() == s.contexts_suppressed);
  CHECK(slow->served() == steady_failures.load());
  if (!sanitized) CHECK(memory.most() <= 1U << 20);
  INFO("errors a second: " << static_cast<double>(statements.load()) / 2 /
                                  std::chrono::duration<double>(length).count());
  CHECK(statements.load() > 0);
}

TEST_CASE("memory that grows by more than a storm may is seen to grow") {
  growth memory;
  memory.note(resident_bytes());
  constexpr std::size_t more = 4U << 20;
  void* const pages =
      ::mmap(nullptr, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  REQUIRE(pages != MAP_FAILED);
  memory.note(resident_bytes());
  ::munmap(pages, more);
  CHECK(memory.most() > 1U << 20);
}

} // namespace faultline::stress
