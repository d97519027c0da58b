// The descriptors that libcurl keeps, and what becomes of them when other code closes them.
//
// libcurl writes to numbers, reads from them and closes them, and never asks whether they are still what it
// opened. Of its sockets that is asked here, before it is let near them. A multi handle has a pair of
// descriptors besides, whose numbers it tells nobody: it is never cleaned up, which would close them, and
// never waits by curl_multi_poll, which would read from them.
#pragma once

#include <array>
#include <atomic>

#include <curl/curl.h>

#include "base/descriptor_identity.hpp"

namespace faultline::detail {

/// The sockets of one connection or the attempts at one. One thread at a time; in a forked child, its only
/// one.
class curl_sockets {
 public:
  /// Makes libcurl open and close the handle's sockets here. What curl_easy_setopt returns.
  [[nodiscard]] CURLcode watch(CURL* easy) noexcept;
  /// Whether all are still what was opened. One system call each.
  [[nodiscard]] bool are_ours() const noexcept;
  /// Ends the conversations, and leaves the descriptors open. Precondition: are_ours().
  void shut_down() const noexcept;
  /// Closes those that are still what was opened, and forgets all.
  void close() noexcept;

 private:
  struct slot {
    /// -1 where there is none. Written by the flusher, read by a forked child's only thread; relaxed: a
    /// lock-free access is all that is needed.
    std::atomic<int> number{-1};
    descriptor_identity identity; ///< written before the number
  };
  static curl_socket_t open_one(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int close_one(void* self, curl_socket_t descriptor);

  std::array<slot, 8> slots_;
};

/// While it lives the numbers of standard streams that are closed are taken, so that libcurl opens nothing
/// under them.
class standard_streams_taken {
 public:
  standard_streams_taken() noexcept;
  standard_streams_taken(const standard_streams_taken&) = delete;
  standard_streams_taken& operator=(const standard_streams_taken&) = delete;
  ~standard_streams_taken();

 private:
  std::array<descriptor_identity, STDERR_FILENO + 1> held_; ///< by number
};

/// What one connection needs of libcurl. Never destroyed; one that is done with serves the next connection.
struct curl_line {
  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  curl_sockets sockets; ///< of the connection, and with the multi handle for as long as it knows of them
};

/// A line without an easy handle. std::bad_alloc when memory is short. Any thread, within a fork_gate.
[[nodiscard]] curl_line& take_line();
/// Ends the connection if there is one, without waiting for an answer. Where other code has closed its socket
/// the line is not used again: libcurl would write to the number and close it even to free the handle.
void give_back(curl_line& line) noexcept;

} // namespace faultline::detail
