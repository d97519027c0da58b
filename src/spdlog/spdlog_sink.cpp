#include <memory>
#include <string>
#include <string_view>

#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/sink.h>

#include <faultline/log.hpp>
#include <faultline/spdlog.hpp>

namespace faultline {
namespace {

level level_of(spdlog::level::level_enum l) noexcept {
  switch (l) {
  case spdlog::level::trace: return level::trace;
  case spdlog::level::debug: return level::debug;
  case spdlog::level::info: return level::info;
  case spdlog::level::warn: return level::warning;
  case spdlog::level::err: return level::error;
  case spdlog::level::critical: return level::critical;
  default: return level::off;
  }
}

std::string_view last_part(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

class recording_sink final : public spdlog::sinks::sink {
 public:
  explicit recording_sink(logger lg) noexcept : logger_(lg) {}

  void log(const spdlog::details::log_msg& message) override {
    const faultline::level l = level_of(message.level);
    const std::string_view text(message.payload.data(), message.payload.size());
    if (message.source.empty() || message.source.filename == nullptr)
      FAULTLINE_LOG(logger_, l, "{}", text);
    else
      FAULTLINE_LOG(logger_, l, "{} ({}:{})", text, last_part(message.source.filename), message.source.line);
  }
  void flush() override {}                                                 // a thread that logs never waits
  void set_pattern(const std::string& /*pattern*/) override {}             // the flusher formats
  void set_formatter(std::unique_ptr<spdlog::formatter> /*f*/) override {} // the same

 private:
  const logger logger_;
};

} // namespace

std::shared_ptr<spdlog::sinks::sink> make_spdlog_sink(logger lg) {
  return std::make_shared<recording_sink>(lg);
}

} // namespace faultline
