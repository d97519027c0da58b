// Logging as a program's user sets it: by keys and values, from the environment or a file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <faultline/export.hpp>
#include <faultline/runtime.hpp>

namespace faultline {

/// Collects keys and values, each checked when it is set, and makes a runtime's options, levels and handlers
/// of them. A key that is set again replaces what it said. The keys:
///
///   level          the root's level
///   levels         levels of loggers by their names: "app.db=debug,app.http=warning"
///   flush_level    the level from which records trip scopes that ask for no other
///   flush_levels   the same for scopes of loggers by their names
///   target         where scopes without a target write
///   handlers       handlers of loggers: "root=stderr;app=file:/tmp/app.log"
///   clock, flusher, on_outbox_full, buffer_bytes, buffers_per_thread, outbox_bytes, argument_bytes,
///   busy_interval, idle_interval, storm_dumps_per_second, storm_burst, drain_on_terminate,
///   hold_outside_scopes
///                  as in runtime_options; sizes may end in KiB or MiB, times end in us, ms or s
///
/// A target is `stderr`, `stdout`, `console`, `null`, `file:PATH` or `rotating:PATH`, and behind a question
/// mark options with `&` between them: `level=`; `format=text` or `json`; `background=`; for files `append=`,
/// `mode=` (octal) and `spool_bytes=`; for rotating ones `mode=`, `spool_bytes=`, `max_bytes=`, `interval=`,
/// `keep=` and `compress=`; and `pattern=`, which comes last and takes the rest. The same target named twice
/// is one handler of a runtime. Without `target`, scopes share the first handler that writes to standard
/// error.
///
/// One thread at a time; set-up only.
class FAULTLINE_API configuration {
 public:
  /// Throws `configuration_error` with the key, the value, and what would be allowed, and then has changed
  /// nothing. Opens nothing.
  void set(std::string_view key, std::string_view value);

  /// Sets a key for each variable whose name is the prefix and a key in capitals: FAULTLINE_LOG_LEVEL=info.
  /// Throws `configuration_error`, with the variable's name, also for a name behind the prefix that is no
  /// key, and then has changed nothing.
  void read_environment(std::string_view prefix = "FAULTLINE_LOG_");

  /// The level of one logger: what `levels` does for each part.
  void set_level(std::string_view logger, std::string_view level);
  /// The flush level of one logger: what `flush_levels` does for each part.
  void set_flush_level(std::string_view logger, std::string_view level);
  /// One more handler of a logger: what `handlers` does for each part.
  void add_handler(std::string_view logger, std::string_view target);

  /// The runtime's options. Opens the target, anew with each call: throws `std::system_error` for a file
  /// that cannot be.
  [[nodiscard]] runtime_options options();
  /// Gives the runtime's loggers their levels and handlers, of which it shares none with another runtime.
  /// Throws as `options`.
  void apply(runtime& r);

 private:
  friend runtime& start(configuration settings);

  /// Levels as two keys set them: the root's, and a list. Whichever was set last says what the root's is.
  struct level_settings {
    std::optional<level> root;
    std::map<std::string, level, std::less<>> list;
  };

  void change(std::string_view key, std::string_view value);
  handler_ptr open(const std::string& target, const runtime& r);
  static void check_startable(const runtime& r);

  runtime_options options_;
  std::string target_;
  level_settings levels_;
  level_settings flush_levels_;
  std::vector<std::pair<std::string, std::string>> handlers_; // logger and target
  std::vector<std::pair<std::string, handler_ptr>> opened_;   // target and what was made of it
};

/// Configures the default runtime and starts it, as `start(runtime_options)`, and gives its loggers their
/// levels and handlers. Every target is opened before the runtime starts: what throws leaves it as it was.
FAULTLINE_API runtime& start(configuration settings);

} // namespace faultline
