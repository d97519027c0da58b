// Both ways between faultline and spdlog. Component faultline::spdlog.
#pragma once

#include <memory>

#include <faultline/export.hpp>
#include <faultline/handler.hpp>
#include <faultline/logger.hpp>

namespace spdlog::sinks {
class sink;
}

namespace faultline {

/// What a spdlog sink is given beside the records.
struct spdlog_handler_options {
  bool envelope = true; ///< a message before each dump that tells its facts, at the dump's gravest level
};

/// Writes to any spdlog sink: rotating and daily files, colours, what others have written. A message has the
/// record's own time, thread, level (critical stays critical), source location and the logger's name; its
/// text is the handler's formatter's, at first that of the pattern "{message}", so control characters are
/// escaped. The sink's level and pattern hold. A flush is forwarded. Names in source locations stay valid as
/// long as the handler.
///
/// The sink is called on the flusher thread, and where it blocks, all handlers wait: spdlog's network sinks
/// block. A record for which it throws is counted as lost, those after it are tried, and the first error of a
/// round is reported by `flush`. As the first of a fallback handler it has the second write the whole batch
/// again. spdlog's sinks know nothing of forks: a child that was forked while the sink was at work writes
/// nothing to it and counts its records as lost, and text in a sink's stdio buffer may be written twice.
/// Throws `configuration_error` for null.
[[nodiscard]] FAULTLINE_API handler_ptr make_spdlog_sink_handler(std::shared_ptr<spdlog::sinks::sink> sink,
                                                                 spdlog_handler_options options = {});

/// A spdlog sink that records into the calling thread's buffer, so that a program that logs by spdlog gains
/// error scopes with this one sink:
///
///     auto logger = std::make_shared<spdlog::logger>("shop", faultline::make_spdlog_sink(lg));
///     logger->set_level(spdlog::level::trace);
///
/// Each message is a record of `lg` at its level, as a FAULTLINE_LOG at that place would be: held in a scope,
/// tripping it, or passed. Its text is the formatted message, cut to `runtime_options::argument_bytes`, and
/// " (file:line)" where spdlog knows the place (SPDLOG_LOGGER_DEBUG and its kin), which is the record's, too;
/// log_text says how storm control tells errors apart. spdlog's level holds first, then that of `lg`, which
/// is `debug` unless somebody set one: trace messages are off. The record's time is that of its recording;
/// spdlog's time, its logger's name and the sink's pattern are not used. `flush` does nothing: a thread that
/// logs never waits. Any thread may log; no lock.
[[nodiscard]] FAULTLINE_API std::shared_ptr<spdlog::sinks::sink> make_spdlog_sink(logger lg);

} // namespace faultline
