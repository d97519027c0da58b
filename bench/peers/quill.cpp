// quill: LOG_DEBUG, which writes everything, and LOG_BACKTRACE, which its back end keeps until an ERROR. Its
// file is flushed whenever the back end has nothing else to do (its default is each 200 ms).
#include <chrono>
#include <string>

#include <quill/Backend.h>
#include <quill/Frontend.h>
#include <quill/LogMacros.h>
#include <quill/Logger.h>
#include <quill/sinks/FileSink.h>

#include "../run_variants.hpp"

namespace {

using namespace bench;

quill::Logger* make_logger(const setup& s) {
  static const bool begun = [] {
    quill::BackendOptions options;
    options.sink_min_flush_interval = std::chrono::milliseconds(0);
    quill::Backend::start(options);
    return true;
  }();
  (void)begun;
  static int number = 0;
  quill::FileSinkConfig config;
  config.set_open_mode('w');
  quill::Logger* const made = quill::Frontend::create_or_get_logger(
      "bench" + std::to_string(++number),
      quill::Frontend::create_or_get_sink<quill::FileSink>(s.path, config),
      quill::PatternFormatterOptions("%(time) %(log_level:<8) %(logger) %(message)",
                                     "%Y-%m-%dT%H:%M:%S.%QusZ", quill::Timezone::GmtTime));
  made->set_log_level(s.disabled ? quill::LogLevel::Info : quill::LogLevel::Debug);
  return made;
}

class with_logger {
 public:
  static constexpr bool has_busy_back_end = true;
  static constexpr int most_threads = 1024;
  explicit with_logger(const setup& s) : logger_(make_logger(s)) {}
  ~with_logger() {
    logger_->flush_log();
    quill::Frontend::remove_logger(logger_);
  }
  void settle() { logger_->flush_log(); }
  [[nodiscard]] std::uint64_t lost() const { return 0; }
  [[nodiscard]] std::uint64_t reported_memory() const { return 0; }

 protected:
  quill::Logger* logger_;
};

struct quill_written : with_logger {
  static constexpr std::string_view name = "quill_written";
  static constexpr fate records = fate::written;
  static constexpr unsigned scenarios =
      writing_scenarios | scenario_disabled | scenario_idle | scenario_churn;

  class log {
   public:
    explicit log(quill::Logger* l) : logger_(l) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      LOG_DEBUG(logger_, "request {} handled {} bytes in {} us", x, y, z);
    }
    void b(const std::string& user, int shard) const { LOG_DEBUG(logger_, "user {} shard {}", user, shard); }
    void error(int n) const { LOG_ERROR(logger_, "request failed with {}", n); }

   private:
    quill::Logger* logger_;
  };
  struct request {
    explicit request(const log&) {}
  };
  using with_logger::with_logger;
  [[nodiscard]] log make_log() { return log(logger_); }
};

struct quill_backtrace : with_logger {
  static constexpr std::string_view name = "quill_backtrace";
  static constexpr fate records = fate::held;
  static constexpr unsigned scenarios = holding_scenarios;

  class log {
   public:
    explicit log(quill::Logger* l) : logger_(l) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      LOG_BACKTRACE(logger_, "request {} handled {} bytes in {} us", x, y, z);
    }
    void b(const std::string& user, int shard) const {
      LOG_BACKTRACE(logger_, "user {} shard {}", user, shard);
    }
    void error(int n) const { LOG_ERROR(logger_, "request failed with {}", n); }

   private:
    quill::Logger* logger_;
  };
  struct request {
    explicit request(const log&) {}
  };
  explicit quill_backtrace(const setup& s) : with_logger(s) {
    logger_->init_backtrace(static_cast<std::uint32_t>(records_per_request) + 1, quill::LogLevel::Error);
  }
  [[nodiscard]] log make_log() { return log(logger_); }
};

} // namespace

int main(int count, char** words) { return run_variants<quill_written, quill_backtrace>(count, words); }
