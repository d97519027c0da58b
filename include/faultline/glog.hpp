// From glog's messages to faultline's records. Component faultline::glog.
#pragma once

#include <chrono>
#include <memory>

#include <glog/logging.h>

#include <faultline/export.hpp>
#include <faultline/logger.hpp>

namespace faultline {

/// Whose records the sink makes, and what a fatal message may wait for.
struct glog_sink_options {
  /// How long LOG(FATAL) may wait, before glog ends the process, for what is outstanding to be written: up to
  /// an hour. Zero: not at all.
  std::chrono::milliseconds fatal_flush{2000};
  runtime* owner = nullptr; ///< the logger's runtime; null: the default one
};

/// A glog sink that records each message into the calling thread's buffer, so that a program that logs by
/// glog gains error scopes:
///
///     auto sink = faultline::make_glog_sink(faultline::get_logger("shop"));
///     google::AddLogSink(sink.get());
///     …
///     google::RemoveLogSink(sink.get());   // before the sink goes
///
/// INFO, WARNING and ERROR become records of `lg` at these levels, FATAL at critical, with the text "message
/// (file:line)" and that place as the record's own, the message cut to `runtime_options::argument_bytes`.
/// glog calls sinks under its own lock; recording does not wait. glog's own files and standard error go on as
/// its flags say; glog drops VLOG messages and those below `FLAGS_minloglevel` before any sink.
///
/// LOG(FATAL) and a failed CHECK trip the scopes that are open on the thread, as any critical record does.
/// glog then calls the sink's WaitTillSent, which flushes the runtime for up to `fatal_flush`, and aborts.
/// What other threads hold is not written. On the flusher thread it does not wait.
///
/// With `outbox_policy::block` a thread whose outbox is full waits for the flusher inside the sink, with
/// glog's lock: all that log by glog wait with it, for ever where a handler, on the flusher's thread, logs by
/// glog itself. So give that policy only to runtimes whose handlers do not.
///
/// Throws `configuration_error` for a time out of range. Any thread may log.
[[nodiscard]] FAULTLINE_API std::unique_ptr<google::LogSink> make_glog_sink(logger lg,
                                                                            glog_sink_options options = {});

} // namespace faultline
