// Where text goes: the interface of handlers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include <faultline/export.hpp>
#include <faultline/formatter.hpp>
#include <faultline/level.hpp>
#include <faultline/record.hpp>

namespace faultline {

namespace detail {
class handler_access;
}

/// Takes batches of records on the flusher thread. A user's own handler derives from it and overrides
/// `write`. All virtual functions but `set_formatter` are called by one flusher thread at a time, never by a
/// thread that logs; what they throw is caught, counted as lost for this handler and reported to `on_error`.
/// They may block, though whatever they block waits behind them; they may log, though such records are
/// counted and not written. A handler belongs to the runtime that uses it first, which keeps it alive, until
/// that runtime is destroyed; another one refuses it with `configuration_error` where it is set. So it is
/// with handlers inside the ones that come with faultline. One that is in the hands of a background handler
/// is called by that one's thread in place of the flusher's, and by nobody else.
class FAULTLINE_API handler : public std::enable_shared_from_this<handler> {
 public:
  handler() = default;
  handler(const handler&) = delete;
  handler& operator=(const handler&) = delete;
  virtual ~handler();

  /// The least level that this handler takes from the loggers it is attached to (default: `trace`). What a
  /// scope writes to its target is not filtered by it. Any thread; takes a lock; takes effect at once.
  void set_level(level threshold);
  /// What set_level set. Any thread; no lock.
  [[nodiscard]] level threshold() const noexcept { return threshold_.load(std::memory_order_relaxed); }

  /// Replaces the formatter; null brings back the default pattern. Any thread; allocates; no lock. Formatters
  /// that were replaced live as long as the handler. Handlers around others pass it on to those.
  virtual void set_formatter(formatter_ptr replacement);

  /// Records that were given to this handler and that it could not write; a `write` that threw counts with
  /// its whole batch. A forked child counts anew from its first record on; what a user's own handler has
  /// inside goes on from the parent's count.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  /// Of these, the records that report_dropped counted.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

  /// Takes a range of records; a dump comes whole, with its envelope, in one call. The views are valid
  /// during the call only.
  virtual void write(const batch& records) = 0;

  /// Puts out what `write` kept. Called at the end of each round in which the handler was given records, was
  /// opened anew or still holds text.
  virtual void flush() {}

  /// In place of `flush` in a round that `runtime::flush` or `stop` waits for: also puts out what the handler
  /// would rather keep for later, such as a group of records that is not full yet. It does not wait.
  virtual void flush_all() { flush(); }

  /// Called by `stop` after the last round, once, for a handler that is pending still. This one may wait, but
  /// not beyond `until`, its share of the time that `stop` has left, and not at all when that is over. What
  /// it cannot put out by then it counts as lost, and `stop` answers false. If it is pending still, `flush`
  /// is called once more, for what it has to report.
  virtual void last_flush([[maybe_unused]] std::chrono::steady_clock::time_point until) {}

  /// True while `flush` has something left to do, so that the flusher calls it again next round.
  [[nodiscard]] virtual bool pending() const noexcept { return false; }

  /// Opens the target anew, as after a rotation by another program.
  virtual void reopen() {}

  /// Called in the child of a fork before its first record: forget what the parent will write.
  virtual void after_fork() {}

 protected:
  /// The formatter in force. No lock; for the flusher thread.
  [[nodiscard]] const formatter& current_formatter() const;

  /// Counts records that this handler had taken and could not write.
  void report_lost(std::uint64_t records) noexcept { lost_.fetch_add(records, std::memory_order_relaxed); }

  /// The same of records that an earlier `write` took: a fallback handler then knows that the batch in hand
  /// is not lost, and does not write it twice.
  void report_dropped(std::uint64_t records) noexcept {
    dropped_.fetch_add(records, std::memory_order_relaxed);
    report_lost(records);
  }

 private:
  friend class detail::handler_access;

  std::atomic<level> threshold_{level::trace}; // relaxed: a threshold orders nothing else
  std::atomic<std::uint64_t> lost_{0};         // relaxed: a counter
  std::atomic<std::uint64_t> dropped_{0};      // relaxed: a counter
  /// Who calls the handler, see handlers/claim.hpp. Relaxed: whoever looks, looks for itself.
  std::atomic<const void*> keeper_{nullptr};
  /// Release by set_formatter, acquire by the flusher; null: the default pattern.
  std::atomic<const formatter*> formatter_{nullptr};
  struct kept_formatter;
  /// All that were ever set, the latest first. Release by set_formatter, acquire by whoever walks it; a list
  /// without a lock, since a forked child could find one taken.
  std::atomic<const kept_formatter*> formatters_{nullptr};
};

/// How handlers are passed about; the runtime keeps one, too.
using handler_ptr = std::shared_ptr<handler>;

} // namespace faultline
