#include "handlers/background_compressor.hpp"

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
#include "handlers/file_handler.hpp"

namespace faultline::detail {
namespace {

/// A full disk or a missing right does not end soon, and nothing is lost meanwhile.
constexpr std::chrono::seconds retry_interval(30);
/// Another process is at it.
constexpr std::chrono::milliseconds other_process_pause(500);
/// A rotation is some renames.
constexpr std::chrono::milliseconds rotation_pause(1);

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
  return !awake_ && job_ == 0;
}

void background_compressor::run() noexcept {
  (void)::setpriority(PRIO_PROCESS, 0, 10); // on Linux of this thread alone; where it fails nothing is lost
  std::unique_lock names(names_mutex_);
  while (!cancelled_.load(std::memory_order_relaxed)) {
    try {
      if (awake_) {
        awake_ = false;
        job_ = files_.first_plain();
        const bool is_free = job_ == 0 || compress_next(names);
        awake_ = awake_ || job_ != 0; // perhaps there is another
        job_ = 0;
        if (!is_free) work_.wait_for(names, other_process_pause);
      } else {
        work_.wait(names);
      }
    } catch (const std::exception& e) {
      job_ = 0;
      try {
        error_ = e.what();
      } catch (...) { // no memory for the report, which comes with the next failure
      }
      awake_ = true;
      work_.wait_for(names, retry_interval);
    }
  }
}

bool background_compressor::compress_next(std::unique_lock<std::mutex>& names) {
  const std::string name = files_.plain(job_);
  descriptor_guard from(
      calls_.open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0), calls_);
  struct ::stat source {};
  if (from.get() < 0 && errno == ENOENT) return false;
  if (from.get() < 0 || calls_.fstat(from.get(), &source) != 0)
    throw_file_error(errno, "cannot compress: cannot open", name);
  const descriptor_guard to(open_log_file(partial_, mode_, false, calls_), calls_);
  if (!lock(to.get(), partial_)) return false;
  // What is in it was left by a process that ended.
  if (calls_.ftruncate(to.get(), 0) != 0) throw_file_error(errno, "cannot compress: cannot have", partial_);

  bool is_whole = false;
  std::exception_ptr failure;
  names.unlock();
  try {
    is_whole = compress_file(from.get(), to.get(), cancelled_, calls_);
    // The compressed file must outlive the machine before the plain one goes.
    if (is_whole && calls_.fsync(to.get()) != 0)
      throw_file_error(errno, "cannot compress: cannot write out", partial_);
  } catch (...) {
    failure = std::current_exception();
  }
  names.lock();

  if (!is_whole || failure) (void)calls_.unlink(partial_.c_str());
  if (failure) std::rethrow_exception(failure);
  while (is_whole && !put_in_place(source)) {
    work_.wait_for(names, rotation_pause);
    if (!cancelled_.load(std::memory_order_relaxed)) continue;
    (void)calls_.unlink(partial_.c_str());
    break;
  }
  // To close a large file that has no name any more takes long: nobody is to wait for that.
  names.unlock();
  from.reset(-1);
  names.lock();
  return true;
}

/// Locks a file that others lock as well and remove when they are done: what was opened must still be there.
bool background_compressor::lock(int descriptor, const std::string& name) const {
  if (calls_.flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    throw_file_error(errno, "cannot compress: cannot lock", name);
  }
  struct ::stat opened {};
  struct ::stat named {};
  if (calls_.fstat(descriptor, &opened) != 0)
    throw_file_error(errno, "cannot compress: no facts about", name);
  return files_.look_at(name, named) && is_same_file(named, opened);
}

/// The file may have moved on meanwhile, or out.
bool background_compressor::put_in_place(const struct ::stat& source) {
  const std::string rotating = files_.path() + ".rotating";
  const descriptor_guard rotation(open_log_file(rotating, mode_, false, calls_), calls_);
  if (!lock(rotation.get(), rotating)) return false;
  try {
    put_in_place_locked(source);
  } catch (...) {
    (void)calls_.unlink(rotating.c_str()); // while it is locked: later it may be another process's
    throw;
  }
  (void)calls_.unlink(rotating.c_str());
  return true;
}

void background_compressor::put_in_place_locked(const struct ::stat& source) {
  const std::string plain = files_.plain(job_);
  struct ::stat present {};
  if (job_ > files_.keep() || !files_.look_at(plain, present) || !is_same_file(present, source)) {
    (void)calls_.unlink(partial_.c_str());
    return;
  }
  const std::string compressed = files_.compressed(job_);
  if (calls_.rename(partial_.c_str(), compressed.c_str()) != 0)
    throw_file_error(errno, "cannot compress: cannot make", compressed);
  if (calls_.unlink(plain.c_str()) != 0) throw_file_error(errno, "cannot remove the compressed", plain);
}

} // namespace faultline::detail
