// The way of one entry to the journal.
#pragma once

#include <string>
#include <string_view>

#include <sys/un.h>

#include "base/descriptor_identity.hpp"

namespace faultline::detail {

/// No function waits. Flusher thread only.
class journal_socket {
 public:
  /// Opens nothing yet. Throws `configuration_error` for a path that cannot be a socket's.
  explicit journal_socket(const std::string& path);
  journal_socket(const journal_socket&) = delete;
  journal_socket& operator=(const journal_socket&) = delete;
  ~journal_socket() { close(); }

  /// False where other code has closed the socket, or closed it and opened something else under its number:
  /// the number is left alone then, and the next `send`, which does not look itself, opens another socket.
  /// One system call.
  [[nodiscard]] bool verify() noexcept;
  /// Sends one entry, as a datagram or, where it is too large for one, in a sealed memory file. 0 or the
  /// error; the entry went whole or not at all.
  [[nodiscard]] int send(std::string_view entry);
  /// Whether the last `send` failed at its entry alone: a journal is there, and there was no memory file to
  /// be had for the entry.
  [[nodiscard]] bool reached() const noexcept { return reached_; }
  void close() noexcept;

 private:
  [[nodiscard]] int send_datagram(std::string_view entry) noexcept;
  [[nodiscard]] int send_file(std::string_view entry) noexcept;
  [[nodiscard]] int without_file(int error) noexcept;

  ::sockaddr_un address_{};
  int descriptor_ = -1;
  descriptor_identity identity_; ///< of descriptor_
  bool reached_ = false;
};

} // namespace faultline::detail
