// Keeps forks out of libcurl and its TLS library.
#pragma once

#include <shared_mutex>

namespace faultline::detail {

/// A fork in the middle of a call into libcurl could leave a lock of the TLS library held for ever in the
/// child, whose own mails would then hang. While a thread is in here, a fork on another thread waits; at most
/// as long as one round of the flusher may spend on mail, a few milliseconds. Threads do not keep each other
/// out.
class fork_gate {
 public:
  fork_gate();
  fork_gate(const fork_gate&) = delete;
  fork_gate& operator=(const fork_gate&) = delete;
  ~fork_gate() = default;

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

} // namespace faultline::detail
