// faultline: held with each of its clocks, and written through a handler (the pass path).
#include <atomic>
#include <chrono>
#include <thread>

#include <faultline/faultline.hpp>

#include "../run_variants.hpp"

namespace {

using namespace bench;

class thread_log {
 public:
  explicit thread_log(faultline::logger lg) : lg_(lg) {}
  void a(std::uint64_t x, std::uint32_t y, double z) const {
    FAULTLINE_DEBUG(lg_, "request {} handled {} bytes in {} us", x, y, z);
  }
  void b(const std::string& user, int shard) const { FAULTLINE_DEBUG(lg_, "user {} shard {}", user, shard); }
  void error(int n) const { FAULTLINE_ERROR(lg_, "request failed with {}", n); }

  [[nodiscard]] faultline::logger logger() const { return lg_; }

 private:
  faultline::logger lg_;
};

faultline::runtime_options options_of(const setup& s, faultline::clock_kind clock) {
  faultline::runtime_options o;
  o.default_target = faultline::make_file_handler(s.path);
  o.clock = clock;
  o.storm_dumps_per_second = 0; // failures are what is measured
  return o;
}

class holder {
 public:
  static constexpr fate records = fate::held;
  static constexpr bool has_busy_back_end = false;
  static constexpr int most_threads = 1024;
  using log = thread_log;

  class request {
   public:
    explicit request(const log& l) : scope_(l.logger()) {}

   private:
    faultline::error_scope scope_;
  };

  holder(const setup& s, faultline::runtime_options o) : runtime_(std::move(o)) {
    if (s.disabled) runtime_.get_logger().set_level(faultline::level::info);
    std::thread([this] { runtime_.attach_thread(); }).join(); // starts the flusher, on this processor
  }
  log make_log() {
    runtime_.attach_thread();
    return log(runtime_.get_logger("bench"));
  }
  void settle() { (void)runtime_.flush(); }
  [[nodiscard]] std::uint64_t lost() const {
    const faultline::runtime_stats s = runtime_.stats();
    return s.contexts_refused + s.contexts_suppressed;
  }
  /// Of the failures whose context was refused, those whose ERROR found no room either.
  [[nodiscard]] std::uint64_t lost_errors() const { return runtime_.stats().outbox_full; }
  [[nodiscard]] std::uint64_t reported_memory() const { return runtime_.stats().thread_memory_bytes; }

 private:
  faultline::runtime runtime_;
};

inline constexpr unsigned all_of_a_holder = holding_scenarios | scenario_disabled | scenario_empty_scope |
                                            scenario_churn | scenario_idle | scenario_instructions;

struct faultline_scope : holder {
  static constexpr std::string_view name = "faultline_scope";
  static constexpr unsigned scenarios = all_of_a_holder;
  explicit faultline_scope(const setup& s) : holder(s, options_of(s, faultline::clock_kind::scope)) {}
};

struct faultline_coarse : holder {
  static constexpr std::string_view name = "faultline_coarse";
  static constexpr unsigned scenarios = call_scenarios | scenario_text | scenario_instructions;
  explicit faultline_coarse(const setup& s) : holder(s, options_of(s, faultline::clock_kind::coarse)) {}
};

struct faultline_tsc : holder {
  static constexpr std::string_view name = "faultline_tsc";
  static constexpr unsigned scenarios = holding_scenarios | scenario_empty_scope | scenario_instructions;
  explicit faultline_tsc(const setup& s) : holder(s, options_of(s, faultline::clock_kind::tsc)) {}
};

struct faultline_spinning : holder {
  static constexpr std::string_view name = "faultline_spinning";
  static constexpr unsigned scenarios =
      scenario_text | scenario_held | scenario_latency | scenario_trip | scenario_error_rate | scenario_idle;
  explicit faultline_spinning(const setup& s) : holder(s, with_spinning_flusher(s)) {}

 private:
  static faultline::runtime_options with_spinning_flusher(const setup& s) {
    faultline::runtime_options o = options_of(s, faultline::clock_kind::scope);
    o.flusher = faultline::flusher_mode::spinning;
    return o;
  }
};

/// With the buffers of a thread on which many requests fail (the order server's), for `error_rate`.
struct faultline_many_buffers : holder {
  static constexpr std::string_view name = "faultline_many_buffers";
  static constexpr unsigned scenarios = scenario_text | scenario_error_rate;
  explicit faultline_many_buffers(const setup& s) : holder(s, with_buffers(s)) {}

 private:
  static faultline::runtime_options with_buffers(const setup& s) {
    faultline::runtime_options o = options_of(s, faultline::clock_kind::scope);
    o.buffer_bytes = 16U << 10;
    o.buffers_per_thread = 64;
    return o;
  }
};

/// Every record written, with its own time stamp. A thread whose outbox is full waits, as in a program that
/// must not lose a record.
class passer {
 public:
  static constexpr fate records = fate::written;
  static constexpr bool has_busy_back_end = true;
  static constexpr int most_threads = 1024;
  using log = thread_log;
  struct request {
    explicit request(const log&) {}
  };

  passer(const setup& s, faultline::flusher_mode mode) : runtime_(options(s, mode)) {
    runtime_.get_logger("bench").add_handler(faultline::make_file_handler(s.path));
    std::thread([this] { runtime_.attach_thread(); }).join();
  }
  log make_log() {
    runtime_.attach_thread();
    return log(runtime_.get_logger("bench"));
  }
  void settle() { (void)runtime_.flush(); }
  [[nodiscard]] std::uint64_t lost() const { return runtime_.stats().outbox_full; }
  [[nodiscard]] std::uint64_t reported_memory() const { return runtime_.stats().thread_memory_bytes; }

 private:
  static faultline::runtime_options options(const setup& s, faultline::flusher_mode mode) {
    faultline::runtime_options o = options_of(s, faultline::clock_kind::tsc);
    o.flusher = mode;
    o.outbox_bytes = 512U << 10;
    o.on_outbox_full = faultline::outbox_policy::block;
    return o;
  }
  faultline::runtime runtime_;
};

struct faultline_pass : passer {
  static constexpr std::string_view name = "faultline_pass";
  static constexpr unsigned scenarios = scenario_text | scenario_held | scenario_latency | scenario_written |
                                        scenario_cpu | scenario_threads | scenario_instructions;
  explicit faultline_pass(const setup& s) : passer(s, faultline::flusher_mode::thread) {}
};

struct faultline_pass_spinning : passer {
  static constexpr std::string_view name = "faultline_pass_spinning";
  static constexpr unsigned scenarios = scenario_text | scenario_written | scenario_cpu;
  explicit faultline_pass_spinning(const setup& s) : passer(s, faultline::flusher_mode::spinning) {}
};

} // namespace

int main(int count, char** words) {
  return run_variants<faultline_scope, faultline_coarse, faultline_tsc, faultline_spinning,
                      faultline_many_buffers, faultline_pass, faultline_pass_spinning>(count, words);
}
