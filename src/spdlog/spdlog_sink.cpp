#include <cstdint>
#include <memory>
#include <string>

#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/sink.h>

#include <faultline/bridge.hpp>
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

class recording_sink final : public spdlog::sinks::sink {
 public:
  explicit recording_sink(logger lg) noexcept : logger_(lg) {}

  void log(const spdlog::details::log_msg& message) override {
    source_place place{.in_text = true};
    if (!message.source.empty())
      place = {message.source.filename, static_cast<std::uint32_t>(message.source.line),
               message.source.funcname, true};
    log_text(logger_, level_of(message.level), {message.payload.data(), message.payload.size()}, place);
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
