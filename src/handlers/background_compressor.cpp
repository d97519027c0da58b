#include "handlers/background_compressor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "handlers/compress_file.hpp"

namespace faultline::detail {
namespace {

/// A full disk or a missing right does not end soon, and nothing is lost meanwhile.
constexpr std::chrono::seconds retry_interval(30);
/// Another process is at it.
constexpr std::chrono::milliseconds other_process_pause(500);
/// A rotation is some renames.
constexpr std::chrono::milliseconds first_rotation_pause(1);

} // namespace

background_compressor::~background_compressor() {
  {
    const std::lock_guard names(names_mutex_);
    cancelled_.store(true, std::memory_order_relaxed);
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void background_compressor::wake() {
  awake_ = true;
  if (thread_.joinable()) return work_.notify_all();
  ::sigset_t all;
  ::sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before); // signals are for the program's threads
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::exception& e) { // tried again at the next rotation
    error_ = std::string("cannot compress old files: no thread: ") + e.what();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::string background_compressor::take_error() {
  const std::unique_lock names(names_mutex_, std::try_to_lock);
  return names.owns_lock() ? std::exchange(error_, {}) : std::string();
}

bool background_compressor::is_idle() {
  const std::lock_guard names(names_mutex_);
  return idle_ && !awake_;
}

void background_compressor::run() noexcept {
  (void)::setpriority(PRIO_PROCESS, 0, 10); // on Linux of this thread alone; where it fails nothing is lost
  open_files files(calls_);
  std::unique_lock names(names_mutex_);
  const auto is_called = [this] { return awake_ || cancelled_.load(std::memory_order_relaxed); };
  for (;;) {
    idle_ = !awake_;
    work_.wait(names, is_called);
    if (cancelled_.load(std::memory_order_relaxed)) return;
    idle_ = awake_ = false;
    bool again = true; // perhaps there is another
    std::chrono::milliseconds pause{};
    try {
      job_ = files_.first_plain();
      again = job_ != 0;
      if (again) pause = compress_next(files, names);
    } catch (const std::exception& e) {
      keep_error(e.what());
      pause = retry_interval;
    }
    job_ = 0;
    // To close a large file that has no name any more takes long: nobody is to wait for that.
    names.unlock();
    files.close();
    names.lock();
    if (pause.count() != 0) work_.wait_for(names, pause, is_called);
    awake_ = awake_ || again;
  }
}

void background_compressor::keep_error(const char* what) noexcept {
  try {
    error_ = what;
  } catch (...) { // no memory for the report, which comes with the next failure
  }
}

std::chrono::milliseconds background_compressor::compress_next(open_files& files,
                                                               std::unique_lock<std::mutex>& names) {
  const std::string name = files_.plain(job_);
  const int opened = above_standard_streams(
      calls_.open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0));
  struct ::stat source {};
  if (opened < 0 && errno == ENOENT) return other_process_pause;
  if (opened < 0 || calls_.fstat(opened, &source) != 0) {
    const int error = errno;
    if (opened >= 0) (void)calls_.close(opened);
    throw_file_error(error, "cannot compress: cannot open", name);
  }
  files.from.reset({opened, descriptor_identity(source)});
  files.to.reset(open_log_file(partial_, mode_, false, calls_));
  if (!lock(files.to.own(), partial_)) {
    check_that_other_goes_on(files.to.own());
    return other_process_pause;
  }
  other_since_.reset();
  own_partial partial(*this);

  std::optional<std::uint64_t> bytes;
  std::exception_ptr failure;
  names.unlock();
  try {
    // What is in it was left by a process that ended.
    if (!files.to.is_open() || calls_.ftruncate(files.to.get(), 0) != 0)
      throw_file_error(files.to.is_open() ? errno : EBADF, "cannot compress: cannot have", partial_);
    bytes = compress_file(files.from.own(), files.to.own(), cancelled_, calls_);
    // The compressed file must outlive the machine before the plain one goes.
    if (bytes && (!files.to.is_open() || calls_.fsync(files.to.get()) != 0))
      throw_file_error(files.to.is_open() ? errno : EBADF, "cannot compress: cannot write out", partial_);
  } catch (...) {
    failure = std::current_exception();
  }
  names.lock();

  if (failure) std::rethrow_exception(failure);
  if (!bytes || wait_to_put_in_place(source, *bytes, partial, names) != placing::has_grown) {
    growing_pause_ = {};
    return {};
  }
  growing_pause_ =
      std::clamp<std::chrono::milliseconds>(2 * growing_pause_, other_process_pause, retry_interval);
  if (growing_pause_ == retry_interval)
    throw_file_error(EBUSY, "cannot compress: another process still writes to", files_.plain(job_));
  return growing_pause_;
}

background_compressor::placing
background_compressor::wait_to_put_in_place(const struct ::stat& source, std::uint64_t bytes,
                                            own_partial& partial, std::unique_lock<std::mutex>& names) {
  const auto begin = calls_.monotonic_now();
  for (auto pause = first_rotation_pause; !cancelled_.load(std::memory_order_relaxed);
       pause = std::min(2 * pause, other_process_pause)) {
    if (const placing done = put_in_place(source, bytes, partial); done != placing::others_rotate)
      return done;
    if (calls_.monotonic_now() - begin >= other_process_patience)
      throw_file_error(EWOULDBLOCK, "cannot compress: a process that does not go on has locked", rotating_);
    work_.wait_for(names, pause);
  }
  return placing::others_rotate;
}

/// A process that was killed may have left its lock to a forked child, and one that was stopped keeps it:
/// that has to be said, since nothing is compressed until it ends.
void background_compressor::check_that_other_goes_on(const own_descriptor& file) {
  struct ::stat facts {};
  if (calls_.fstat(file.number, &facts) != 0) return;
  const auto now = calls_.monotonic_now();
  const bool has_gone_on = !other_since_ || !is_same_file(facts, other_) || facts.st_size != other_.st_size ||
                           facts.st_mtim.tv_sec != other_.st_mtim.tv_sec ||
                           facts.st_mtim.tv_nsec != other_.st_mtim.tv_nsec;
  if (has_gone_on) {
    other_ = facts;
    other_since_ = now;
  } else if (now - *other_since_ >= other_process_patience) {
    throw_file_error(EWOULDBLOCK, "cannot compress: a process that does not go on has locked", partial_);
  }
}

/// Locks a file that others lock as well and remove when they are done: what was opened must still be there.
bool background_compressor::lock(const own_descriptor& file, const std::string& name) const {
  if (calls_.flock(file.number, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    throw_file_error(errno, "cannot compress: cannot lock", name);
  }
  struct ::stat opened {};
  struct ::stat named {};
  if (calls_.fstat(file.number, &opened) != 0)
    throw_file_error(errno, "cannot compress: no facts about", name);
  return files_.look_at(name, named) && is_same_file(named, opened);
}

/// The file may have moved on meanwhile, or out, or another process may have written to it that had not heard
/// of the rotation yet.
background_compressor::placing
background_compressor::put_in_place(const struct ::stat& source, std::uint64_t bytes, own_partial& partial) {
  const descriptor_guard rotation(open_log_file(rotating_, mode_, false, calls_), calls_);
  if (!lock(rotation.own(), rotating_)) return placing::others_rotate;
  try {
    const placing done = put_in_place_locked(source, bytes, partial);
    (void)calls_.unlink(rotating_.c_str()); // while it is locked: later it may be another process's
    return done;
  } catch (...) {
    (void)calls_.unlink(rotating_.c_str());
    throw;
  }
}

background_compressor::placing background_compressor::put_in_place_locked(const struct ::stat& source,
                                                                          std::uint64_t bytes,
                                                                          own_partial& partial) {
  const std::string plain = files_.plain(job_);
  struct ::stat present {};
  if (job_ > files_.keep() || !files_.look_at(plain, present) || !is_same_file(present, source))
    return placing::done;
  if (static_cast<std::uint64_t>(present.st_size) != bytes) return placing::has_grown;
  const std::string compressed = files_.compressed(job_);
  if (calls_.rename(partial_.c_str(), compressed.c_str()) != 0)
    throw_file_error(errno, "cannot compress: cannot make", compressed);
  partial.has_its_name();
  if (calls_.unlink(plain.c_str()) != 0) throw_file_error(errno, "cannot remove the compressed", plain);
  return placing::done;
}

} // namespace faultline::detail
