#include <cstdint>
#include <memory>
#include <string>

#include <faultline/bridge.hpp>
#include <faultline/configuration_error.hpp>
#include <faultline/glog.hpp>
#include <faultline/runtime.hpp>

namespace faultline {
namespace {

/// Whether the thread's latest message was fatal: glog tells WaitTillSent nothing.
thread_local bool fatal_sent = false;

level level_of(google::LogSeverity severity) noexcept {
  switch (severity) {
  case google::GLOG_INFO: return level::info;
  case google::GLOG_WARNING: return level::warning;
  case google::GLOG_ERROR: return level::error;
  default: return level::critical;
  }
}

class recording_sink final : public google::LogSink {
 public:
  recording_sink(logger lg, const glog_sink_options& options) : logger_(lg), options_(options) {
    if (options.fatal_flush < std::chrono::milliseconds(0) || options.fatal_flush > std::chrono::hours(1))
      throw configuration_error("fatal_flush", std::to_string(options.fatal_flush.count()) + " ms",
                                "zero to one hour");
  }

  using google::LogSink::send;
  void send(google::LogSeverity severity, const char* path, const char* /*file*/, int line,
            const google::LogMessageTime& /*time*/, const char* message, std::size_t size) override {
    fatal_sent = severity == google::GLOG_FATAL;
    log_text(logger_, level_of(severity), {message, size},
             {.file = path, .line = static_cast<std::uint32_t>(line), .in_text = true});
  }

  void WaitTillSent() override {
    // Still set afterwards: each sink is asked, and another one may have another runtime.
    if (!fatal_sent || options_.fatal_flush == std::chrono::milliseconds(0)) return;
    // What could not be written in that time is lost with the process.
    (void)(options_.owner != nullptr ? options_.owner->flush(options_.fatal_flush)
                                     : faultline::flush(options_.fatal_flush));
  }

 private:
  const logger logger_;
  const glog_sink_options options_;
};

} // namespace

std::unique_ptr<google::LogSink> make_glog_sink(logger lg, glog_sink_options options) {
  return std::make_unique<recording_sink>(lg, options);
}

} // namespace faultline
