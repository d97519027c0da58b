// Writing to a connection that the server has closed raises SIGPIPE: TLS libraries write without
// MSG_NOSIGNAL.
#pragma once

#include <cerrno>
#include <ctime>

#include <pthread.h>
#include <signal.h>

namespace faultline::detail {

/// While it lives, a SIGPIPE of the calling thread is held up, and forgotten if it came up since. The
/// flusher's own thread takes no signals anyway; a thread that runs rounds by hand or destroys a handler may.
/// Three system calls.
class sigpipe_guard {
 public:
  sigpipe_guard() noexcept {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigset_t sigpipe = only_sigpipe();
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before_);
  }
  sigpipe_guard(const sigpipe_guard&) = delete;
  sigpipe_guard& operator=(const sigpipe_guard&) = delete;
  ~sigpipe_guard() {
    const int error = errno;
    sigset_t sigpipe = only_sigpipe();
    const std::timespec at_once{};
    if (!was_pending_)
      while (sigtimedwait(&sigpipe, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }

 private:
  static sigset_t only_sigpipe() noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
  }

  sigset_t before_{};
  bool was_pending_ = false;
};

} // namespace faultline::detail
