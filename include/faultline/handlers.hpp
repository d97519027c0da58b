// The handlers that come with the core, and the functions that make them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <faultline/export.hpp>
#include <faultline/handler.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline {

/// Writes text to the stream's descriptor with write(2), past stdio's own buffer; the stream is not closed. A
/// terminal that was stopped and a slow reader of a pipe or socket hold up nobody: their text is kept, up to
/// 8 MiB, and `stop` waits for them as long as they take something within a second, for ten at most; what
/// they have not taken then is lost and counted. Where the descriptor is closed later, or its number used for
/// something else than the null device, nothing is written to it: records are lost, counted and reported,
/// until it is what it was; `reopen` accepts a terminal, a pipe or a file that is open for appending alone.
/// Throws `configuration_error` for null, for a stream without a descriptor or with a closed one, and where
/// the program was started without it and something else has its number.
[[nodiscard]] FAULTLINE_API handler_ptr make_stream_handler(std::FILE* stream);

/// How a file is opened, and what is kept while it cannot be written.
struct file_options {
  bool append = true;   ///< false: an existing file is emptied
  unsigned mode = 0600; ///< permission bits of a file that is created (the umask applies)
  std::size_t spool_bytes =
      8U << 20; ///< text kept while the file cannot be written; beyond it records are lost and counted
};

/// Appends text to a file, one write(2) for what a round has to say. Opened with
/// O_CLOEXEC|O_NOFOLLOW|O_APPEND; a path that is a symbolic link, a directory or a FIFO is refused. While the
/// disk is full the text is kept up to `spool_bytes` and written when there is space again; a line that was
/// written in part is completed, never torn or repeated. `stop` gives a full disk a second; what is kept then
/// is lost and counted.
/// The path is made absolute at once, links left alone; the descriptor's number is above those of the
/// standard streams. A descriptor that the program closed, or whose number it uses for something else, is
/// neither written to nor closed: the path is opened anew, or the text waits, and that is reported. Throws
/// `std::system_error` that names the path, or `configuration_error` for an option.
[[nodiscard]] FAULTLINE_API handler_ptr make_file_handler(std::string_view path, file_options options = {});

/// When a file is moved aside, and what becomes of the old ones.
struct rotating_file_options {
  std::uint64_t max_bytes = 64U << 20; ///< the file is rotated before it grows beyond; 0: no such bound
  /// The file is rotated at the first write after a multiple of this since 1970 in UTC: `hours(1)` is each
  /// full hour, `hours(24)` each midnight. Zero: not by time.
  std::chrono::seconds interval{0};
  std::size_t keep = 5;               ///< old files, PATH.1 (the latest) to PATH.keep; 1 to 1000
  bool compress = false;              ///< old files become PATH.1.zst ... on a thread of the handler's own
  unsigned mode = 0600;               ///< as in file_options, for all files
  std::size_t spool_bytes = 8U << 20; ///< as in file_options
};

/// As `make_file_handler`, appending to a file that is moved aside in time. No line and no dump is split over
/// two files; one that is larger than `max_bytes` has a file to itself. The oldest file goes only when the
/// new one took a write. While a rotation fails the handler writes on to the old file, reports each failure
/// and tries again after a second, then after twice as long, at most a minute. A file that was deleted is
/// made anew by the next write. Processes that write to one path take turns. Throws `std::system_error` that
/// names the path, or `configuration_error` for an option, `compress` included where the library was built
/// without zstd.
[[nodiscard]] FAULTLINE_API handler_ptr make_rotating_file_handler(std::string_view path,
                                                                   rotating_file_options options = {});

/// Rotations of that handler that failed since it was made; each is reported and tried again, and costs no
/// text. Any thread; no lock. Throws `configuration_error` for a handler that make_rotating_file_handler has
/// not made, such as one around it.
[[nodiscard]] FAULTLINE_API std::uint64_t failed_rotations(const handler& rotating);

/// Whether a console handler writes in colours. `automatic` asks, in this order, when the handler is made:
/// NO_COLOR not empty: no. FORCE_COLOR or CLICOLOR_FORCE neither empty nor "0": yes, terminal or not.
/// FORCE_COLOR or CLICOLOR "0": no. Otherwise yes on a terminal whose TERM is set and is not "dumb".
enum class color_mode : std::uint8_t { automatic, always, never };

/// Where and how a console handler writes.
struct console_options {
  std::FILE* stream = stderr;                 ///< or stdout; it is not closed
  color_mode color = color_mode::automatic;   ///< whether lines have colours
  std::string_view pattern = default_pattern; ///< see make_text_formatter; need outlive the call only
  bool envelope = true;                       ///< as in text_formatter_options
};

/// As `make_stream_handler`, for people: a record's line has the colour of its level. What a message says is
/// escaped and cannot drive the terminal.
/// Another formatter takes the place of pattern and colours. Throws `configuration_error` for the stream and
/// for a wrong pattern.
[[nodiscard]] FAULTLINE_API handler_ptr make_console_handler(console_options options = {});

/// Takes records and writes nothing.
[[nodiscard]] FAULTLINE_API handler_ptr make_null_handler();

/// Calls `f` with each batch; what it throws is counted as lost. See `make_callback_handler`.
class FAULTLINE_API callback_handler final : public handler {
 public:
  /// Throws `configuration_error` for an empty function.
  explicit callback_handler(std::function<void(const batch&)> f);
  void write(const batch& records) override;

 private:
  std::function<void(const batch&)> f_;
};

/// A handler that calls `f` on the flusher thread: `f(const batch&)`, or `f(const record_view&)` for each
/// record. Throws `configuration_error` for an empty function.
template <class F> [[nodiscard]] handler_ptr make_callback_handler(F f) {
  if constexpr (std::is_invocable_v<F&, const batch&>) {
    return std::make_shared<callback_handler>(std::move(f));
  } else {
    std::function<void(const record_view&)> each(std::move(f));
    if (!each) return std::make_shared<callback_handler>(nullptr); // throws
    return std::make_shared<callback_handler>([each = std::move(each)](const batch& records) {
      for (const record_view& r : records) each(r);
    });
  }
}

/// Called on the flusher's thread; what it throws counts as a write that failed.
using record_predicate = std::function<bool(const record_view&)>;

/// What a filter does with a dump.
enum class dump_filter : std::uint8_t {
  each_record, ///< passes on the records that the predicate accepts, and no envelope without a record
  any_record,  ///< passes the dump whole where the predicate accepts one of its records, else nothing of it
  pass_all,    ///< passes each dump whole and asks nothing
};

/// What a filter handler does beside its predicate.
struct filter_options {
  dump_filter dumps = dump_filter::each_record; ///< what it does with dumps
};

/// Passes to `inner` what `predicate` accepts; asks it at most once for each record. Where a dump loses
/// records to the filter its envelope's `records` counts what is left; its other facts stay those of the
/// whole dump. The filter's own level counts where it is attached to loggers (a scope's dump passes it, as
/// ever); the level of `inner` does not. A formatter is passed on to `inner`. What `inner` loses is counted
/// for both. Throws `configuration_error` for null and for an empty predicate.
[[nodiscard]] FAULTLINE_API handler_ptr make_filter_handler(handler_ptr inner, record_predicate predicate,
                                                            filter_options options = {});

/// How a fallback handler comes back to its first.
struct fallback_options {
  std::chrono::milliseconds retry_interval{1000}; ///< pause before a first handler that threw is tried again
};

/// Writes to `first`, and to `second` while `first` fails. It fails when a write or a flush of it throws or
/// makes its `lost()` grow; the batch that it refused so goes to `second`. It is used again once it has put
/// out all that it held, or, where it held nothing, when it takes a batch after the pause. Each failure's
/// begin is reported. What `first` took before is its own to write: handlers that keep text, as files do,
/// have each record written once; a handler that throws in the middle of a batch has part of it written by
/// both. Records count as lost when `second` loses them, or `first` those that it had taken. Levels and
/// formatters as for `make_filter_handler`. Throws `configuration_error` for null, for one handler twice, and
/// for a pause that is negative or longer than a day.
[[nodiscard]] FAULTLINE_API handler_ptr make_fallback_handler(handler_ptr first, handler_ptr second,
                                                              fallback_options options = {});

/// What a background handler keeps, and how long it is waited for at the end.
struct background_options {
  std::size_t spool_bytes = 8U << 20; ///< copies of records that wait for `inner`, 4 KiB to 1 GiB
  /// How long `stop`, whose deadline may be shorter, and the handler's destructor wait for `inner` to finish;
  /// zero to one minute. `inner` has seven eighths of it for its own last_flush.
  std::chrono::milliseconds finish_limit{1000};
};

/// Has `inner` write on a thread of this handler's own, so that however long it takes or hangs, the flusher
/// and the other handlers do not wait for it. Records are copied, in order, a dump still as one write. What
/// finds the spool full is lost and counted, the newest first to go; an empty spool takes a batch of any
/// size. `runtime::flush` waits for `inner`, up to its deadline and without holding up the others. At the end
/// `inner` has `finish_limit`; what is left then, the batch in its hands included, counts as lost, and a
/// thread that hangs is left to itself. The thread, and no other, calls `inner`, one function at a time; in a
/// forked child, which has no such thread before its first record, the flusher calls `after_fork`. What
/// `inner` throws costs the batch, is counted as lost and reported; what it logs is counted and not written.
/// Levels as for `make_filter_handler`; a formatter is passed on to `inner`. Throws `configuration_error` for
/// null, for an option out of range, and for a handler that a runtime or another background handler has: two
/// threads would call it.
[[nodiscard]] FAULTLINE_API handler_ptr make_background_handler(handler_ptr inner,
                                                                background_options options = {});

/// A record as the memory handler keeps it: the members of `record_view`, owned.
struct stored_record {
  faultline::level level;                     ///< its level
  std::string logger;                         ///< the dotted name
  std::chrono::system_clock::time_point time; ///< when it was made
  bool time_is_exact;                         ///< false where the time is an earlier reading
  std::uint32_t thread_id;                    ///< the kernel's id of the thread that logged
  std::string message;                        ///< formatted, unescaped
  std::string exception;                      ///< empty but for an escaped exception
  std::string file;                           ///< of the statement, as `__FILE__`
  std::uint32_t line;                         ///< of the statement
  std::string scope;                          ///< the scope's name, empty without one
  std::string trace_id;                       ///< empty without one
  std::uint64_t dump_id;                      ///< 0 for the pass path
  /// Those with names, and their texts.
  std::vector<std::pair<std::string, std::string>> arguments;
  std::string thread_name; ///< empty for a thread without one
};

/// A dump's facts as the memory handler keeps them.
struct stored_dump {
  std::uint64_t id;                  ///< counts from 1 in each runtime
  std::string scope;                 ///< the scope's name
  std::string logger;                ///< the scope's logger
  faultline::trigger trigger;        ///< what made the scope write
  std::string reason;                ///< the text given to trip(), or the level's name
  std::size_t records;               ///< how many the dump holds
  std::uint64_t forgotten;           ///< records that a bound made the scope forget
  std::size_t truncated;             ///< records whose arguments were cut
  std::uint64_t lost_contexts;       ///< earlier failures that could not be handed over
  std::chrono::nanoseconds duration; ///< from the scope's start to its trip
};

/// Keeps what it receives, for tests of one's own logging. All functions: any thread, under a lock.
class FAULTLINE_API memory_handler final : public handler {
 public:
  void write(const batch& records) override;
  /// The child begins with nothing kept.
  void after_fork() override;

  /// A copy of what was received and not cleared, in the order received.
  [[nodiscard]] std::vector<stored_record> records() const;
  /// The same of the dumps' facts.
  [[nodiscard]] std::vector<stored_dump> dumps() const;
  /// The messages alone, in the order received.
  [[nodiscard]] std::vector<std::string> messages() const;
  /// What a stream handler with this handler's formatter would have written.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::size_t writes() const; ///< how often `write` was called
  void clear();                             ///< forgets all that was received

 private:
  mutable std::mutex mutex_;
  std::vector<stored_record> records_;
  std::vector<stored_dump> dumps_;
  std::string text_;
  std::size_t writes_ = 0;
};

/// Makes one, as its own class: what it received is read from it.
[[nodiscard]] FAULTLINE_API std::shared_ptr<memory_handler> make_memory_handler();

} // namespace faultline

#pragma GCC diagnostic pop
