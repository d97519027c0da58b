// spdlog: synchronous, asynchronous (its default queue, blocking when full), and its backtrace, which keeps
// the last records in a ring and writes them when it is told to.
#include <atomic>
#include <memory>
#include <thread>

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "../run_variants.hpp"

namespace {

using namespace bench;

/// A file sink that says how often it was flushed: spdlog does not say when an asynchronous flush is done.
class counting_file_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit counting_file_sink(const std::string& path) { file_.open(path, true); }
  [[nodiscard]] std::uint64_t flushes() const { return flushes_.load(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    file_.write(text);
  }
  void flush_() override {
    file_.flush();
    flushes_.fetch_add(1);
  }

 private:
  spdlog::details::file_helper file_;
  std::atomic<std::uint64_t> flushes_{0};
};

template <class Logger> class log_of {
 public:
  log_of(Logger& l, bool dumps) : logger_(&l), dumps_(dumps) {}
  void a(std::uint64_t x, std::uint32_t y, double z) const {
    logger_->debug("request {} handled {} bytes in {} us", x, y, z);
  }
  void b(const std::string& user, int shard) const { logger_->debug("user {} shard {}", user, shard); }
  void error(int n) const {
    logger_->error("request failed with {}", n);
    if (dumps_) logger_->dump_backtrace();
    logger_->flush();
  }

 private:
  Logger* logger_;
  bool dumps_;
};

template <class Logger> class with_logger {
 public:
  static constexpr int most_threads = 1024;
  using log = log_of<Logger>;
  struct request {
    explicit request(const log&) {}
  };
  [[nodiscard]] log make_log() { return log(*logger_, dumps_); }
  void settle() {
    const std::uint64_t before = sink_->flushes();
    logger_->flush();
    while (sink_->flushes() == before) std::this_thread::yield();
  }
  [[nodiscard]] std::uint64_t lost() const { return 0; }
  [[nodiscard]] std::uint64_t reported_memory() const { return 0; }

 protected:
  explicit with_logger(const setup& s) : sink_(std::make_shared<counting_file_sink>(s.path)) {}
  void use(std::shared_ptr<Logger> made, bool disabled, bool dumps = false) {
    logger_ = std::move(made);
    dumps_ = dumps;
    logger_->set_level(disabled || dumps ? spdlog::level::info : spdlog::level::debug);
    logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %-8l %n %v", spdlog::pattern_time_type::utc);
  }
  std::shared_ptr<counting_file_sink> sink_;
  std::shared_ptr<Logger> logger_;
  bool dumps_ = false;
};

struct spdlog_async : with_logger<spdlog::async_logger> {
  static constexpr std::string_view name = "spdlog_async";
  static constexpr fate records = fate::written;
  static constexpr unsigned scenarios = writing_scenarios | scenario_idle;
  static constexpr bool has_busy_back_end = true;
  explicit spdlog_async(const setup& s)
      : with_logger(s), pool_(std::make_shared<spdlog::details::thread_pool>(8192, 1)) {
    use(std::make_shared<spdlog::async_logger>("bench", sink_, pool_, spdlog::async_overflow_policy::block),
        s.disabled);
  }

 private:
  std::shared_ptr<spdlog::details::thread_pool> pool_;
};

struct spdlog_sync : with_logger<spdlog::logger> {
  static constexpr std::string_view name = "spdlog_sync";
  static constexpr fate records = fate::written;
  static constexpr unsigned scenarios = writing_scenarios | scenario_disabled;
  static constexpr bool has_busy_back_end = false;
  explicit spdlog_sync(const setup& s) : with_logger(s) {
    use(std::make_shared<spdlog::logger>("bench", sink_), s.disabled);
  }
};

struct spdlog_backtrace : with_logger<spdlog::logger> {
  static constexpr std::string_view name = "spdlog_backtrace";
  static constexpr fate records = fate::held;
  static constexpr unsigned scenarios = holding_scenarios | scenario_churn;
  static constexpr bool has_busy_back_end = false;
  explicit spdlog_backtrace(const setup& s) : with_logger(s) {
    use(std::make_shared<spdlog::logger>("bench", sink_), s.disabled, true);
    logger_->enable_backtrace(static_cast<std::size_t>(records_per_request) + 1);
  }
};

} // namespace

int main(int count, char** words) {
  return run_variants<spdlog_async, spdlog_sync, spdlog_backtrace>(count, words);
}
