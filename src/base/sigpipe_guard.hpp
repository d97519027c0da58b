// Signals that a write may raise, and that end a program which does not expect them: SIGPIPE for a connection
// that the other end has closed (TLS libraries write without MSG_NOSIGNAL), SIGXFSZ beyond RLIMIT_FSIZE.
#pragma once

#include <cerrno>
#include <ctime>
#include <initializer_list>

#include <pthread.h>
#include <signal.h>

namespace faultline::detail {

/// While it lives, the signals are held up in the calling thread, and forgotten if they came up since. The
/// flusher's own thread takes no signals anyway; a thread that runs rounds by hand or destroys a handler may.
/// Four system calls.
class signal_guard {
 public:
  explicit signal_guard(std::initializer_list<int> signals) noexcept {
    sigset_t pending;
    sigset_t held;
    sigpending(&pending);
    sigemptyset(&held);
    sigemptyset(&fresh_);
    for (const int s : signals) {
      sigaddset(&held, s);
      if (sigismember(&pending, s) == 0) sigaddset(&fresh_, s);
    }
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  signal_guard(const signal_guard&) = delete;
  signal_guard& operator=(const signal_guard&) = delete;
  ~signal_guard() {
    const int error = errno;
    const std::timespec at_once{};
    while (sigtimedwait(&fresh_, nullptr, &at_once) >= 0 || errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }

 private:
  sigset_t before_{};
  sigset_t fresh_{}; ///< those that were not pending
};

struct sigpipe_guard : signal_guard {
  sigpipe_guard() noexcept : signal_guard({SIGPIPE}) {}
};

/// Around calls of handlers, which write to files as well as to pipes and connections.
struct write_signals_guard : signal_guard {
  write_signals_guard() noexcept : signal_guard({SIGPIPE, SIGXFSZ}) {}
};

} // namespace faultline::detail
