// What the machine asks for the least that a record can be: the floors beside which the other figures stand.
#include <array>
#include <atomic>
#include <cstring>
#include <iterator>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <unistd.h>

#include "../run_variants.hpp"

namespace {

using namespace bench;

enum class stamp { none, coarse, tsc };

std::atomic<std::uint64_t> coarse_ticks{0x5678}; // relaxed: a time orders nothing

/// Where a floor's records go: as much as the longest scope of the scenarios takes.
struct alignas(64) bare_buffer {
  char* head = data;
  char data[1U << 20];
};

template <stamp Stamp>
[[gnu::noinline]] void store_a(bare_buffer& b, std::uint64_t x, std::uint32_t y, double z) {
  const std::uint64_t word = 0x1234;
  std::uint64_t time = word;
  if constexpr (Stamp == stamp::coarse) time = coarse_ticks.load(std::memory_order_relaxed);
  if constexpr (Stamp == stamp::tsc) time = ticks();
  char* const at = b.head;
  std::memcpy(at, &word, 8);
  std::memcpy(at + 8, &time, 8);
  std::memcpy(at + 16, &x, 8);
  std::memcpy(at + 24, &z, 8);
  std::memcpy(at + 32, &y, 4);
  b.head = at + 40;
}

template <stamp Stamp>
[[gnu::noinline]] void store_b(bare_buffer& b, const char* text, std::size_t size, int shard) {
  const std::uint64_t word = 0x1234;
  std::uint64_t time = word;
  if constexpr (Stamp == stamp::coarse) time = coarse_ticks.load(std::memory_order_relaxed);
  if constexpr (Stamp == stamp::tsc) time = ticks();
  char* const at = b.head;
  std::memcpy(at, &word, 8);
  std::memcpy(at + 8, &time, 8);
  std::memcpy(at + 16, &shard, 4);
  std::memcpy(at + 20, &size, 4);
  std::memcpy(at + 24, text, size);
  b.head = at + ((24 + size + 7) & ~std::size_t{7});
}

/// A record is 40 bytes stored, and a request rewinds: a record without levels, loggers, scopes, bounds or a
/// runtime.
template <stamp Stamp> class store_floor : public example_variant {
 public:
  class log {
   public:
    explicit log(bare_buffer& b) : buffer_(&b) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const { store_a<Stamp>(*buffer_, x, y, z); }
    void b(const std::string& user, int shard) const {
      store_b<Stamp>(*buffer_, user.data(), user.size(), shard);
    }
    void error(int) const {}
    [[nodiscard]] bare_buffer& buffer() const { return *buffer_; }

   private:
    bare_buffer* buffer_;
  };
  struct request {
    explicit request(const log& l) {
      l.buffer().head = l.buffer().data;
      if constexpr (Stamp == stamp::tsc) asm volatile("" : : : "memory");
    }
  };
  using example_variant::example_variant;
  [[nodiscard]] log make_log() {
    thread_local const auto buffer = std::make_unique<bare_buffer>();
    return log(*buffer);
  }
};

struct floor_store : store_floor<stamp::none> {
  static constexpr std::string_view name = "floor_store";
  static constexpr unsigned scenarios =
      call_scenarios | scenario_scope_size | scenario_empty_scope | scenario_instructions;
  using store_floor::store_floor;
};
struct floor_coarse : store_floor<stamp::coarse> {
  static constexpr std::string_view name = "floor_coarse";
  static constexpr unsigned scenarios = scenario_held | scenario_latency | scenario_cpu;
  using store_floor::store_floor;
};
struct floor_rdtsc_store : store_floor<stamp::tsc> {
  static constexpr std::string_view name = "floor_rdtsc_store";
  static constexpr unsigned scenarios = scenario_held | scenario_latency | scenario_cpu;
  using store_floor::store_floor;
};

/// The clock alone. A request reads it once, as a scope does.
struct floor_rdtsc : example_variant {
  static constexpr std::string_view name = "floor_rdtsc";
  static constexpr unsigned scenarios = scenario_held | scenario_cpu | scenario_empty_scope;
  class log {
   public:
    void a(std::uint64_t, std::uint32_t, double) const { keep(ticks()); }
    void b(const std::string&, int) const { keep(ticks()); }
    void error(int) const {}
    static void keep(std::uint64_t t) { asm volatile("" : : "r"(t)); }
  };
  struct request {
    explicit request(const log&) { log::keep(ticks()); }
  };
  using example_variant::example_variant;
  [[nodiscard]] log make_log() { return {}; }
};

/// The loop of the scenarios around nothing: what `instructions` counts besides the statement.
struct floor_loop : example_variant {
  static constexpr std::string_view name = "floor_loop";
  static constexpr unsigned scenarios = scenario_instructions;
  class log {
   public:
    void a(std::uint64_t x, std::uint32_t y, double z) const { asm volatile("" : : "r"(x), "r"(y), "x"(z)); }
    void b(const std::string&, int) const {}
    void error(int) const {}
  };
  struct request {
    explicit request(const log&) {}
  };
  using example_variant::example_variant;
  [[nodiscard]] log make_log() { return {}; }
};

/// One relaxed load and a branch not taken: what a disabled statement cannot go below.
struct floor_disabled : example_variant {
  static constexpr std::string_view name = "floor_disabled";
  static constexpr unsigned scenarios = scenario_disabled;
  class log {
   public:
    void a(std::uint64_t, std::uint32_t, double) const {
      static std::atomic<int> threshold{5}; // relaxed: nothing hangs on it
      if (threshold.load(std::memory_order_relaxed) <= 1) asm volatile("" : : "r"(ticks()));
    }
    void b(const std::string&, int) const {}
    void error(int) const {}
  };
  struct request {
    explicit request(const log&) {}
  };
  using example_variant::example_variant;
  [[nodiscard]] log make_log() { return {}; }
};

/// A file that is written in pieces of 64 KiB.
class text_file {
 public:
  explicit text_file(const std::string& path)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    text_.reserve(piece + 4096);
  }
  text_file(const text_file&) = delete;
  text_file& operator=(const text_file&) = delete;
  ~text_file() {
    flush();
    ::close(descriptor_);
  }
  fmt::memory_buffer& text() {
    if (text_.size() >= piece) flush();
    return text_;
  }
  void flush() {
    const char* at = text_.data();
    for (std::size_t left = text_.size(); left > 0;) {
      const ssize_t done = ::write(descriptor_, at, left);
      if (done < 0) throw std::runtime_error("the floor's file cannot be written");
      at += done;
      left -= static_cast<std::size_t>(done);
    }
    text_.clear();
  }

 private:
  static constexpr std::size_t piece = 64U << 10;
  int descriptor_;
  fmt::memory_buffer text_;
};

/// A buffer handed over with one store to a thread that spins, formats and writes.
class floor_hand_over : public example_variant {
 public:
  static constexpr std::string_view name = "floor_hand_over";
  static constexpr unsigned scenarios = scenario_trip;

  struct shared {
    bare_buffer buffers[2];
    std::atomic<bare_buffer*> handed{nullptr}; // release: the records; acquire by the formatter
    std::atomic<bool> ended{false};
    bare_buffer* own = &buffers[0];
    int number = 0;
  };

  class log {
   public:
    explicit log(shared& s) : shared_(&s) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const { store_a<stamp::none>(*shared_->own, x, y, z); }
    void b(const std::string&, int) const {}
    void error(int n) const {
      shared_->number = n;
      shared_->handed.store(shared_->own, std::memory_order_release);
      shared_->own = &shared_->buffers[shared_->own == &shared_->buffers[0] ? 1 : 0];
      shared_->own->head = shared_->own->data;
    }
    [[nodiscard]] shared& of() const { return *shared_; }

   private:
    shared* shared_;
  };
  struct request {
    explicit request(const log& l) { l.of().own->head = l.of().own->data; }
  };

  explicit floor_hand_over(const setup& s)
      : example_variant(s), shared_(std::make_unique<shared>()),
        formatter_([this, path = s.path] { format(path); }) {}
  ~floor_hand_over() {
    shared_->ended.store(true);
    formatter_.join();
  }
  [[nodiscard]] log make_log() { return log(*shared_); }
  void settle() {
    while (shared_->handed.load(std::memory_order_acquire) != nullptr) {
    }
  }

 private:
  void format(const std::string& path) {
    text_file file(path);
    while (!shared_->ended.load(std::memory_order_relaxed)) {
      const bare_buffer* b = shared_->handed.load(std::memory_order_acquire);
      if (b == nullptr) continue;
      for (const char* at = b->data; at < b->head; at += 40) {
        std::uint64_t x = 0;
        std::uint32_t y = 0;
        double z = 0;
        std::memcpy(&x, at + 16, 8);
        std::memcpy(&z, at + 24, 8);
        std::memcpy(&y, at + 32, 4);
        fmt::format_to(std::back_inserter(file.text()), FMT_COMPILE("request {} handled {} bytes in {} us\n"),
                       x, y, z);
      }
      fmt::format_to(std::back_inserter(file.text()), FMT_COMPILE("request failed with {}\n"),
                     shared_->number);
      file.flush();
      shared_->handed.store(nullptr, std::memory_order_release);
    }
  }

  std::unique_ptr<shared> shared_;
  std::thread formatter_;
};

enum class formatting { compiled, at_run_time, stamped };

/// The time of a record as text: the second is formatted when it changes, the microseconds each time.
class stamp_text {
 public:
  void append(fmt::memory_buffer& out) {
    const double us_passed = static_cast<double>(ticks() - base_ticks_) * us_per_tick_;
    const std::uint64_t us = base_us_ + static_cast<std::uint64_t>(us_passed);
    const std::uint64_t second = us / 1'000'000;
    if (second != second_) {
      second_ = second;
      const auto seconds = static_cast<std::time_t>(second);
      std::tm parts{};
      gmtime_r(&seconds, &parts);
      std::strftime(text_.data(), text_.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    }
    const std::size_t size = out.size();
    out.resize(size + 28);
    char* const at = out.data() + size;
    std::memcpy(at, text_.data(), 20);
    const auto rest = static_cast<unsigned>(us - second * 1'000'000);
    put_pair(at + 20, rest / 10'000);
    put_pair(at + 22, rest / 100 % 100);
    put_pair(at + 24, rest % 100);
    std::memcpy(at + 26, "Z ", 2);
  }

 private:
  static void put_pair(char* at, unsigned value) { std::memcpy(at, fmt::detail::digits2(value), 2); }

  double us_per_tick_ = tick_clock::instance().ns_per_tick / 1000;
  std::uint64_t base_ticks_ = ticks();
  std::uint64_t base_us_ = nanoseconds_of(CLOCK_REALTIME) / 1000;
  std::uint64_t second_ = 0;
  std::array<char, 32> text_{};
};

/// One thread that formats and writes, and no hand-over.
template <formatting How> class writing_floor : public example_variant {
 public:
  static constexpr fate records = fate::written;
  static constexpr unsigned scenarios = scenario_text | scenario_written | scenario_instructions;

  struct state {
    explicit state(const std::string& path) : file(path) {}
    text_file file;
    stamp_text time;
  };
  class log {
   public:
    explicit log(state& s) : state_(&s) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      fmt::memory_buffer& out = state_->file.text();
      if constexpr (How == formatting::stamped) state_->time.append(out);
      if constexpr (How == formatting::at_run_time)
        fmt::vformat_to(std::back_inserter(out), "request {} handled {} bytes in {} us\n",
                        fmt::make_format_args(x, y, z));
      else
        fmt::format_to(std::back_inserter(out), FMT_COMPILE("request {} handled {} bytes in {} us\n"), x, y,
                       z);
    }
    void b(const std::string& user, int shard) const {
      fmt::format_to(std::back_inserter(state_->file.text()), FMT_COMPILE("user {} shard {}\n"), user, shard);
    }
    void error(int n) const {
      fmt::format_to(std::back_inserter(state_->file.text()), FMT_COMPILE("request failed with {}\n"), n);
    }

   private:
    state* state_;
  };
  struct request {
    explicit request(const log&) {}
  };
  explicit writing_floor(const setup& s) : example_variant(s), state_(s.path) {}
  [[nodiscard]] log make_log() { return log(state_); }
  void settle() { state_.file.flush(); }
  /// It has one buffer and no lock.
  static constexpr int most_threads = 1;

 private:
  state state_;
};

struct floor_compiled_write : writing_floor<formatting::compiled> {
  static constexpr std::string_view name = "floor_compiled_write";
  using writing_floor::writing_floor;
};
struct floor_runtime_write : writing_floor<formatting::at_run_time> {
  static constexpr std::string_view name = "floor_runtime_write";
  using writing_floor::writing_floor;
};
struct floor_stamped_write : writing_floor<formatting::stamped> {
  static constexpr std::string_view name = "floor_stamped_write";
  using writing_floor::writing_floor;
};

} // namespace

int main(int count, char** words) {
  return run_variants<floor_store, floor_coarse, floor_rdtsc, floor_rdtsc_store, floor_loop, floor_disabled,
                      floor_hand_over, floor_compiled_write, floor_runtime_write, floor_stamped_write>(count,
                                                                                                       words);
}
