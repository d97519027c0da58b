// xtr: writes everything; its back end spins. Without a time stamp of the call (its default: the back end
// stamps), and with one.
#include <memory>
#include <mutex>
#include <vector>

#include <xtr/logger.hpp>

#include "../run_variants.hpp"

namespace {

using namespace bench;

/// A sink belongs to one thread; the logger to all.
class with_logger {
 public:
  static constexpr fate records = fate::written;
  static constexpr bool has_busy_back_end = true;
  static constexpr int most_threads = 1024;

  explicit with_logger(const setup& s)
      : disabled_(s.disabled), logger_(s.path.c_str(), std::chrono::system_clock(), xtr::null_command_path) {}
  void settle() {
    const std::lock_guard lock(mutex_);
    for (const auto& s : sinks_) s->sync();
  }
  [[nodiscard]] std::uint64_t lost() const { return 0; }
  [[nodiscard]] std::uint64_t reported_memory() const { return 0; }

 protected:
  xtr::sink& add_sink() {
    const std::lock_guard lock(mutex_);
    sinks_.push_back(std::make_unique<xtr::sink>(logger_.get_sink("bench")));
    sinks_.back()->set_level(disabled_ ? xtr::log_level_t::error : xtr::log_level_t::info);
    return *sinks_.back();
  }

 private:
  bool disabled_;
  xtr::logger logger_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<xtr::sink>> sinks_; // ends before the logger
};

struct xtr_unstamped : with_logger {
  static constexpr std::string_view name = "xtr_unstamped";
  static constexpr unsigned scenarios = writing_scenarios | scenario_disabled | scenario_idle;

  class log {
   public:
    explicit log(xtr::sink& s) : sink_(&s) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      XTR_LOGL(info, *sink_, "request {} handled {} bytes in {} us", x, y, z);
    }
    void b(const std::string& user, int shard) const {
      XTR_LOGL(info, *sink_, "user {} shard {}", user, shard);
    }
    void error(int n) const { XTR_LOGL(error, *sink_, "request failed with {}", n); }

   private:
    xtr::sink* sink_;
  };
  struct request {
    explicit request(const log&) {}
  };
  using with_logger::with_logger;
  [[nodiscard]] log make_log() { return log(add_sink()); }
};

struct xtr_stamped : with_logger {
  static constexpr std::string_view name = "xtr_stamped";
  static constexpr unsigned scenarios = writing_scenarios;

  class log {
   public:
    explicit log(xtr::sink& s) : sink_(&s) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      XTR_LOGL_TSC(info, *sink_, "request {} handled {} bytes in {} us", x, y, z);
    }
    void b(const std::string& user, int shard) const {
      XTR_LOGL_TSC(info, *sink_, "user {} shard {}", user, shard);
    }
    void error(int n) const { XTR_LOGL_TSC(error, *sink_, "request failed with {}", n); }

   private:
    xtr::sink* sink_;
  };
  struct request {
    explicit request(const log&) {}
  };
  using with_logger::with_logger;
  [[nodiscard]] log make_log() { return log(add_sink()); }
};

} // namespace

int main(int count, char** words) { return run_variants<xtr_unstamped, xtr_stamped>(count, words); }
