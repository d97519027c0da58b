#include "handlers/rotating_file_handler.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/file.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "handlers/compress_file.hpp"

namespace faultline {
namespace detail {
namespace {

/// A file can end between entries. Small enough that one is a small part of a file, large enough that it is
/// worth a call of the formatter.
std::size_t records_an_entry(std::uint64_t max_bytes) noexcept {
  constexpr std::uint64_t most = 256;
  constexpr std::uint64_t bytes_a_record = 4096; // with room to spare
  return static_cast<std::size_t>(
      max_bytes == 0 ? most : std::clamp<std::uint64_t>(max_bytes / bytes_a_record, 1, most));
}

void check_options(const rotating_file_options& options) {
  if (options.interval < std::chrono::seconds(0))
    throw configuration_error("interval", std::to_string(options.interval.count()) + " s",
                              "zero (not by time) or more");
  if (options.max_bytes == 0 && options.interval.count() == 0)
    throw configuration_error("max_bytes", "0", "without an interval the file would never be rotated");
  if (options.keep < 1 || options.keep > rotating_file_handler::most_kept)
    throw configuration_error("keep", std::to_string(options.keep), "1 to 1000 old files");
  if (options.compress && !can_compress())
    throw configuration_error("compress", "true",
                              "this faultline was built without zstd (libzstd-dev, FAULTLINE_ZSTD)");
}

/// Checked before anything is opened.
const rotating_file_options& checked(const rotating_file_options& options) {
  check_options(options);
  return options;
}

file_options as_file_options(const rotating_file_options& o) noexcept {
  return {.append = true, .mode = o.mode, .spool_bytes = o.spool_bytes};
}

} // namespace

rotating_file_handler::rotating_file_handler(std::string_view path, const rotating_file_options& options,
                                             const system_calls& calls)
    : file_handler(path, as_file_options(checked(options)), calls, records_an_entry(options.max_bytes)),
      options_(options), owner_process_(::getpid()), rotating_(this->path() + ".rotating"),
      files_(this->path(), options.keep, calls) {
  struct ::stat facts {};
  if (calls.fstat(descriptor(), &facts) != 0) throw_file_error(errno, "no facts about", this->path());
  if (!S_ISREG(facts.st_mode))
    throw_file_error(EINVAL, "only a regular file can be rotated, not", this->path());
}

rotating_file_handler::~rotating_file_handler() {
  finish(); // here, where prepare_write is still this class's
  if (state_->compressor && ::getpid() != owner_process_)
    (void)state_.release(); // its thread is the parent's
}

void rotating_file_handler::flush() {
  file_handler::flush();
  if (state_->surplus) remove_surplus();
  if (state_->compressor && state_->report.empty()) state_->report = state_->compressor->take_error();
  if (!state_->report.empty()) throw std::runtime_error(std::exchange(state_->report, {}));
}

void rotating_file_handler::last_flush(std::chrono::steady_clock::time_point until) {
  state_->retry_at = {};
  file_handler::last_flush(until);
}

bool rotating_file_handler::pending() const noexcept {
  return file_handler::pending() || !state_->report.empty();
}

void rotating_file_handler::after_fork() {
  static auto* const abandoned = new std::vector<changing_state*>; // reachable, and never looked at
  abandoned->push_back(state_.release());
  state_ = std::make_unique<changing_state>();
  failures_.store(0, std::memory_order_relaxed);
  owner_process_ = ::getpid();
  file_handler::after_fork();
}

std::int64_t rotating_file_handler::period_of(std::chrono::system_clock::time_point t) const noexcept {
  const auto since = std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
  const auto length = options_.interval.count();
  return since >= 0 ? since / length : -1; // before 1970 a clock is only wrong
}

/// Whether the file with these facts is full or of another period for an entry of `bytes`. An empty file
/// never is.
bool rotating_file_handler::is_due(const struct ::stat& facts, std::size_t bytes) {
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  bool is_old = false;
  if (options_.interval.count() != 0) {
    const std::int64_t now = period_of(calls().wall_now());
    if (!(std::exchange(state_->dated, own().identity) == own().identity)) {
      const auto last_write = std::chrono::seconds(facts.st_mtim.tv_sec);
      state_->period = period_of(std::chrono::system_clock::time_point(last_write));
    }
    // An empty file is begun now. A clock that was set back does not hold up the next rotation for long.
    if (size == 0 || now < state_->period) state_->period = now;
    is_old = now > state_->period;
  }
  return size != 0 && (is_old || (options_.max_bytes != 0 && size + bytes > options_.max_bytes));
}

/// What PATH is, beside the file with these facts.
rotating_file_handler::place rotating_file_handler::look_at_place(const struct ::stat& facts) const {
  struct ::stat named {};
  if (calls().lstat(path().c_str(), &named) != 0)
    return errno == ENOENT && facts.st_nlink == 0 ? place::deleted : place::own;
  if (is_same_file(named, facts)) return place::own;
  return S_ISLNK(named.st_mode) ? place::link : place::other;
}

std::size_t rotating_file_handler::prepare_write(struct ::stat& facts) {
  if (file_handler::prepare_write(facts) == 0) return 0; // a file that was reopened takes its place
  spool& text = text_spool();
  if (!text.at_boundary() && facts.st_nlink == 0) {
    // Other processes rotated until the file was the oldest: the entry's begin is gone, and its rest need not
    // be written.
    report_dropped(text.drop_front());
  }
  if (text.empty() || !text.at_boundary()) return text.front_bytes();
  const bool due = is_due(facts, text.front_bytes());
  if (const place found = look_at_place(facts); due || found != place::own) {
    try_to_rotate(facts, found);
    if (!find_target(facts)) return 0;
    const place now = look_at_place(facts);
    // The old file may go at any moment, or is gone. One whose place is taken by a link takes text until it
    // would be rotated.
    const bool waits = now == place::other || now == place::deleted ||
                       (now == place::link && (facts.st_nlink == 0 || is_due(facts, text.front_bytes())));
    if (waits) {
      begin_failure(EAGAIN, state_->failure);
      return 0;
    }
  }
  if (options_.max_bytes == 0) return text.unwritten().size();
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  return text.whole_entries(
      static_cast<std::size_t>(options_.max_bytes - std::min(size, options_.max_bytes)));
}

/// Nothing may be thrown here: the text still has its old file to go to, or waits.
void rotating_file_handler::try_to_rotate(const struct ::stat& present, place found) {
  const auto now = calls().monotonic_now();
  // What another process has put in place while this one paused is written to at once: that one may compress
  // the old file, or remove it.
  const bool follows = found == place::other;
  if (now < state_->retry_at && !(follows && state_->can_follow)) return;
  const auto blocked_since = std::exchange(state_->blocked_since, std::nullopt).value_or(now);
  try {
    if (follows || found == place::link) { // which needs no lock
      write_to(open_log_file(path(), mode(), false, calls()));
    } else if (rotate(present) == outcome::other_process_rotates) {
      state_->blocked_since = blocked_since;
      state_->failure = {};
      if (now - blocked_since >= other_process_patience)
        throw_file_error(EWOULDBLOCK, "cannot rotate: a process that does not go on has locked", rotating_);
      state_->retry_at = now + other_process_pause;
      return;
    }
    state_->can_follow = true;
    state_->pause = first_pause;
    state_->retry_at = {};
    state_->failure = {};
  } catch (const std::exception& e) {
    // Text that has no other file to go to waits no longer than it has to.
    const bool waits = follows || found == place::deleted;
    state_->can_follow = !follows;
    state_->retry_at = now + (waits ? first_pause : state_->pause);
    if (!waits) state_->pause = std::min(2 * state_->pause, longest_pause);
    failures_.fetch_add(1, std::memory_order_relaxed);
    keep_report(e);
  }
}

/// The next file is made first: most of what can fail fails there, before anything was renamed. Its lock
/// keeps other processes, a forked child for one, from rotating at the same time.
rotating_file_handler::outcome rotating_file_handler::rotate(const struct ::stat& present) {
  descriptor_guard fresh(open_log_file(rotating_, mode(), false, calls()), calls());
  if (calls().flock(fresh.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return outcome::other_process_rotates;
    throw_file_error(errno, "cannot rotate: cannot lock", rotating_);
  }
  struct ::stat opened {};
  struct ::stat named {};
  if (calls().fstat(fresh.get(), &opened) != 0)
    throw_file_error(errno, "cannot rotate: no facts about", rotating_);
  if (!files_.look_at(rotating_, named) || !is_same_file(named, opened))
    return outcome::other_process_rotates; // it was faster: what is open here is its PATH, or gone
  try {
    put_in_place(present, fresh);
  } catch (...) {
    (void)calls().unlink(rotating_.c_str());
    throw;
  }
  if (fresh.is_open()) (void)calls().flock(fresh.get(), LOCK_UN);
  write_to(fresh.release());
  if (options_.interval.count() != 0) state_->period = period_of(calls().wall_now());
  state_->dated = own().identity;
  state_->surplus = true;
  return outcome::rotated;
}

void rotating_file_handler::write_to(const own_descriptor& fresh) noexcept {
  close_descriptor();
  set_descriptor(fresh);
}

void rotating_file_handler::put_in_place(const struct ::stat& present, descriptor_guard& fresh) {
  struct ::stat named {};
  if (!files_.look_at(path(), named)) { // another program moved the file: its place is free
    if (calls().rename(rotating_.c_str(), path().c_str()) != 0)
      throw_file_error(errno, "cannot rotate: cannot rename", rotating_);
    return;
  }
  if (!is_same_file(named, present)) { // another process has rotated: what it made is written to
    const own_descriptor current = open_log_file(path(), mode(), false, calls());
    (void)calls().unlink(rotating_.c_str()); // while it is locked: later it may be another process's
    fresh.reset(current);
    return;
  }
  if (options_.compress && !state_->compressor)
    state_->compressor = std::make_unique<background_compressor>(files_, mode(), calls());
  if (!state_->compressor) return move_aside();
  const std::lock_guard names(state_->compressor->names_mutex());
  move_aside();
  state_->compressor->wake();
}

void rotating_file_handler::move_aside() {
  const std::size_t moved = files_.shift();
  if (state_->compressor) state_->compressor->note_shift(moved);
  const std::string aside = files_.plain(1);
  if (calls().rename(path().c_str(), aside.c_str()) != 0)
    throw_file_error(errno, "cannot rotate: cannot rename", path());
  if (calls().rename(rotating_.c_str(), path().c_str()) != 0) {
    const int error = errno;
    (void)calls().rename(aside.c_str(), path().c_str()); // or the next attempt finds the place free
    throw_file_error(error, "cannot rotate: cannot rename", rotating_);
  }
}

/// Only once the new file has text in it. The old one that goes is then no longer the last that there is.
void rotating_file_handler::remove_surplus() {
  struct ::stat facts {};
  if (!own().is_open(calls()) || calls().fstat(descriptor(), &facts) != 0 || facts.st_size == 0) return;
  state_->surplus = false; // what cannot be removed now is replaced by the next rotation
  try {
    files_.remove_surplus();
  } catch (const std::exception& e) {
    keep_report(e);
  }
}

void rotating_file_handler::keep_report(const std::exception& failure) noexcept {
  try {
    state_->failure = failure_report::of(failure);
    if (state_->report.empty()) state_->report = failure.what();
  } catch (const std::exception&) { // no memory for the text: the next failure is reported
  }
}

} // namespace detail

handler_ptr make_rotating_file_handler(std::string_view path, rotating_file_options options) {
  return std::make_shared<detail::rotating_file_handler>(path, options, detail::real_system_calls());
}

std::uint64_t failed_rotations(const handler& rotating) {
  const auto* const own = dynamic_cast<const detail::rotating_file_handler*>(&rotating);
  if (own == nullptr)
    throw configuration_error("rotating", "another handler", "one that rotates files is asked");
  return own->failed_rotations();
}

} // namespace faultline
