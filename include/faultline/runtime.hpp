// The runtime: the object that owns loggers, threads' buffers, the hand-over queue and the flusher.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include <faultline/export.hpp>
#include <faultline/handler.hpp>
#include <faultline/logger.hpp>

namespace faultline {

/// Which clock stamps a held record. Trips, records of the pass path and scope beginnings read the real
/// clock whatever the kind.
enum class clock_kind : std::uint8_t {
  tsc,    ///< the processor's time stamp counter at each record; CLOCK_MONOTONIC without an invariant TSC
  coarse, ///< the later of the scope's reading and the flusher's, about a millisecond ago while it is active
  scope,  ///< the scope's latest reading: order is kept, times within a scope are not
};

/// Who runs the flusher.
enum class flusher_mode : std::uint8_t {
  thread,   ///< a thread of the runtime's own, started with the first record, scope or attach
  manual,   ///< nobody: the program calls `runtime::run_once`; for tests and single-threaded tools
  spinning, ///< as `thread`, but it never rests: takes a whole core, and text is in its file within
            ///< microseconds
};

/// What a thread does whose outbox is full when it logs a record that is always written.
enum class outbox_policy : std::uint8_t {
  drop,  ///< the record is lost and counted; the thread never waits
  block, ///< the thread waits for the flusher, with system calls, until there is room or the runtime stops:
         ///< only for programs whose threads may, as a handler that hangs makes them hang
};

/// Whether a thread that logs may wake the flusher.
enum class wake_policy : std::uint8_t {
  under_pressure, ///< a thread that would soon lose something ends the flusher's rest: one futex wake a rest,
                  ///< when an eighth of its outbox or of its buffers waits, and a second one by a thread that
                  ///< has half of its outbox left, or no buffer; never for a held record
  never, ///< no thread that logs ever makes a system call: what comes in bursts beyond the bounds while
         ///< the flusher rests is lost and counted
};

/// What went wrong where nobody could be told by an exception.
struct error_report {
  std::string_view kind;   ///< "handler", or "flusher" for what it could not do or found wrong itself
  std::string_view detail; ///< what the latest failure said, valid during the call
  std::uint64_t count = 0; ///< failures of this handler, or of the flusher, since the last report of them
};

/// How a runtime works. Checked when it is made; a wrong value throws `configuration_error`.
struct runtime_options {
  handler_ptr default_target = {};      ///< where scopes without a target write; null: standard error
  std::size_t buffer_bytes = 48U << 10; ///< one thread's buffer, 4 KiB to 16 MiB, a multiple of 4 KiB
  std::size_t buffers_per_thread = 128; ///< 2 to 256; one is written to, the others may be on their way; in
                                        ///< memory are those that a burst of failures has used
  clock_kind clock = clock_kind::tsc;   ///< what stamps held records
  std::size_t outbox_bytes = 1U << 20;  ///< one thread's outbox, 4 KiB to 16 MiB, a power of two; in memory
                                        ///< is as much as a burst of records has used
  std::size_t argument_bytes = 1024;    ///< longest string kept of an argument, 16 to 65,535; longer ones are
                                        ///< cut between characters and marked
  bool hold_outside_scopes =
      false; ///< a thread holds its last 100 records outside scopes too; an error among them writes them
  flusher_mode flusher = flusher_mode::thread; ///< who runs the flusher
  std::chrono::nanoseconds busy_interval =
      std::chrono::milliseconds(1); ///< pause between rounds while there is work
  std::chrono::nanoseconds idle_interval =
      std::chrono::milliseconds(100); ///< longest pause while there is none; 10 ms at most while threads log
  std::uint32_t storm_dumps_per_second =
      1000; ///< dumps a second that one site may cause before contexts are suppressed; 0: no limit
  std::uint32_t storm_burst = 5000; ///< dumps that it may cause at once beyond that rate, at least 1
  bool drain_on_terminate = false;  ///< chain a std::terminate handler that stops the runtime first
  std::function<void(const error_report&)> on_error =
      {}; ///< called on the flusher thread, once a second for each handler; empty: one line on stderr
  outbox_policy on_outbox_full = outbox_policy::drop; ///< `block` needs a flusher with a thread
  wake_policy wake = wake_policy::under_pressure;     ///< whether threads that log may wake the flusher
  bool last_resort =
      true; ///< a record at its logger's flush level or above that no open scope sees and no handler
            ///< takes goes to the default target, as Python's lastResort does; false: to nobody
  std::chrono::nanoseconds stats_interval =
      {}; ///< how often the default target gets a line that tells `stats`, and once more at the end; up to a
          ///< day, late by the flusher's rest; 0: never
};

/// Counts since the runtime began. Two ledgers close exactly whenever no thread is inside a scope or a
/// statement and a flush has succeeded:
///   threads: logged = handed_over + passed_only + discarded + lost
///   flusher: taken = written + suppressed + skipped + flusher_lost
struct runtime_stats {
  std::uint64_t logged = 0; ///< records that threads made; those held outside scopes once they are dealt with
  std::uint64_t handed_over = 0; ///< of these, records in at least one hand-over
  std::uint64_t passed_only = 0; ///< records that went through the outbox and into no hand-over
  std::uint64_t discarded = 0;   ///< records of work that succeeded, or that no scope and no handler wanted
  std::uint64_t lost = 0;        ///< records that should have been written and were not, or could not be made
  std::uint64_t forgotten = 0;   ///< of the discarded: records that a full buffer forgot

  std::uint64_t taken = 0;      ///< copies of records that the flusher took out of buffers and outboxes
  std::uint64_t written = 0;    ///< copies that at least one handler accepted
  std::uint64_t suppressed = 0; ///< copies in contexts that a storm suppressed
  std::uint64_t skipped =
      0; ///< copies that no target wanted: of other loggers, beyond the capacity, or written there already
  std::uint64_t flusher_lost = 0; ///< copies whose handlers all threw
  std::uint64_t in_flight =
      0; ///< copies handed over or passed and not taken yet; after `stop` these are lost

  std::uint64_t dumps = 0;      ///< dumps written, one for each target
  std::uint64_t hand_overs = 0; ///< buffers handed over
  std::uint64_t contexts_refused =
      0; ///< trips that found no free buffer; their error record went to the outbox
  std::uint64_t contexts_suppressed = 0; ///< trips whose held records a storm suppressed
  std::uint64_t outbox_full = 0;         ///< how often the outbox refused a record, for the handlers of its
                                         ///< logger or for the target of one scope
  std::uint64_t reentered = 0;  ///< statements in signal handlers that interrupted faultline on their thread
  std::uint64_t after_stop = 0; ///< trips and passes after `stop`
  std::uint64_t scopes_refused = 0;   ///< scopes beyond the nesting or target bound, which hold nothing
  std::uint64_t scopes_abandoned = 0; ///< scopes that ended out of order or on another thread
  std::uint64_t handler_errors = 0;   ///< exceptions that handlers threw
  std::uint64_t format_errors = 0;    ///< records whose arguments did not fit their format
  std::uint64_t handler_lost = 0; ///< `handler::lost` of all handlers together; what one loses that is set
                                  ///< for itself and is inside another one, too, is in both
  std::uint64_t threads = 0;      ///< threads attached now
  std::uint64_t thread_memory_bytes =
      0;                    ///< memory reserved for the threads' buffers; follows the peak of live threads
  std::uint64_t rounds = 0; ///< rounds of the flusher
};

/// The counts that are not zero, in their order above: "logged=12 discarded=12 threads=1"; "nothing logged"
/// where there is none. `fmt::format("{}", stats)` and a statement's argument give the same.
[[nodiscard]] FAULTLINE_API std::string to_string(const runtime_stats& s);

namespace detail {
struct core;
}

/// Owns everything: most programs use the default one through the free functions below; a test makes its own.
/// Its loggers, scopes and handlers belong to it alone.
class FAULTLINE_API runtime {
 public:
  /// Throws `configuration_error` for an option out of range. Starts nothing: the first record, scope or
  /// attach does.
  explicit runtime(runtime_options options = {});
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  /// Stops. Loggers and scopes of this runtime must not be used afterwards; attached threads may still end.
  ~runtime();

  /// The logger of that dotted name, made on first use; "" and "root" are the root. Throws
  /// `configuration_error` for a name with an empty part, a control character or more than 255 bytes, and for
  /// the 1,048,576th logger. They live as long as the runtime. Any thread; takes a lock.
  [[nodiscard]] logger get_logger(std::string_view dotted_name = {});

  /// Waits until everything handed over or passed before the call is written and the handlers are flushed.
  /// False when the deadline passed first, on the flusher thread, and after stop. Held records stay held.
  bool flush(std::chrono::nanoseconds deadline = std::chrono::seconds(10));

  /// Writes what is outstanding and ends the flusher. False when the deadline passed first, or when handlers
  /// could not put out all they had until then (see handler::last_flush): the rest is counted. A second call
  /// returns what the first did, and waits anew where the first gave up; the end of the process does not. Any
  /// thread but the flusher's (false there).
  bool stop(std::chrono::nanoseconds deadline = std::chrono::seconds(10));

  /// Any thread; takes a lock that no logging thread takes.
  [[nodiscard]] runtime_stats stats() const;

  /// Gives the calling thread its buffers now, so that its first statement allocates nothing, and the name
  /// that its records show (`{thread_name}`) when they are handed over or passed from now on, of which 63
  /// bytes are kept. Without one, and for a thread that is attached by its first record, that is the system's
  /// (pthread_setname_np) at that moment, if the thread has another than its program. A process has room for
  /// 8,191 different names; a thread with one more has none. May allocate.
  void attach_thread(std::string_view name = {});

  /// One round of the flusher, with `flusher_mode::manual` only (throws std::logic_error otherwise). Returns
  /// true when it found something to do.
  bool run_once();

  /// Has every handler open its target anew (see handler::reopen) in the flusher's next round. Any thread.
  void reopen();

 private:
  friend runtime& default_runtime();
  friend runtime& start(runtime_options);
  friend class configuration;

  detail::core* core_;
};

/// The runtime that the free functions use. Never destroyed; stopped at exit by an atexit handler.
[[nodiscard]] FAULTLINE_API runtime& default_runtime();

/// Starts the default runtime with these options. If it has begun, with its first record, scope or attach, it
/// takes them over: targets, intervals, storms, policies, `on_error` and `drain_on_terminate` hold from now
/// on, for what is held or on its way to the default target as well; sizes, `clock` and `hold_outside_scopes`
/// for the calling thread, unless it is in a scope, and for threads that attach later. Without a
/// `default_target` the one that is there stays.
///
/// Throws `configuration_error` for an option out of range, when it was called before, after `stop`, and for
/// `flusher_mode::manual` where the flusher's thread runs; the error tells what began the runtime. Takes
/// locks.
FAULTLINE_API runtime& start(runtime_options options);

/// runtime::flush of the default runtime.
FAULTLINE_API bool flush(std::chrono::nanoseconds deadline = std::chrono::seconds(10));
/// runtime::stop of the default runtime.
FAULTLINE_API bool stop(std::chrono::nanoseconds deadline = std::chrono::seconds(10));
/// runtime::stats of the default runtime.
[[nodiscard]] FAULTLINE_API runtime_stats stats();

} // namespace faultline

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

/// @cond
/// As to_string; takes no format specification.
template <> struct fmt::formatter<faultline::runtime_stats> {
  constexpr auto parse(fmt::format_parse_context& c) { return c.begin(); }
  template <class Context> auto format(const faultline::runtime_stats& s, Context& c) const {
    const std::string text = faultline::to_string(s);
    return std::copy(text.begin(), text.end(), c.out());
  }
};
/// @endcond

#pragma GCC diagnostic pop
