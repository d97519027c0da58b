// The socket to a syslog server.
//
//   closed ── begin ──► connecting ── poll_connect ──► open
//     ▲                     │ refused, too late          │ check, send: broken
//     └──── close ──────────┴────────────────────────────┘
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

#include <faultline/syslog.hpp>

#include "base/descriptor_identity.hpp"

namespace faultline::detail {

/// No function but the constructor waits for anything. Flusher thread only.
class syslog_link {
 public:
  enum class state { closed, connecting, open };

  /// A stream's peer has yet to acknowledge at most so many bytes that `send` took.
  static constexpr int unacknowledged_bytes = 1 << 20;

  /// Looks the host up. Throws `configuration_error` for an address that cannot be, and std::system_error
  /// where the name is not found.
  explicit syslog_link(const syslog_options& options);
  syslog_link(const syslog_link&) = delete;
  syslog_link& operator=(const syslog_link&) = delete;
  ~syslog_link() { close(); }

  [[nodiscard]] state current() const noexcept { return state_; }
  [[nodiscard]] bool is_stream() const noexcept { return stream_; }
  /// Whether an open link means that a server was there. A UDP socket is open towards nobody, too.
  [[nodiscard]] bool has_answered() const noexcept { return stream_ || local_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; } ///< for errors

  /// False where other code has closed the socket, or closed it and opened something else under its number:
  /// the link is closed then, and the number left alone. To be asked before whatever uses the socket: no
  /// other function but `close` looks. One system call.
  [[nodiscard]] bool verify() noexcept;

  /// Begins to connect to the next of the addresses. 0, or the error and the link is closed.
  int begin();
  /// 0 when the link is open, EINPROGRESS while it is connecting, else the error and the link is closed.
  int poll_connect();
  /// Whether the peer is known to be gone: 0, or the error (EPIPE for a connection closed in good order).
  /// What a server says is read and thrown away.
  int check();
  /// Sends a datagram, or as much of the parts as a stream takes. Bytes taken, or -1 and errno.
  ::ssize_t send(std::span<::iovec> parts);
  /// Whether a stream's peer has yet to acknowledge bytes.
  [[nodiscard]] bool has_unacknowledged() const noexcept;
  /// How long ago a stream's peer last acknowledged something, if only with its end of the connection; zero
  /// for datagrams.
  [[nodiscard]] std::chrono::milliseconds silence() const noexcept;
  void close() noexcept;

  /// For tests.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  struct address {
    ::sockaddr_storage storage;
    ::socklen_t size;
  };
  void resolve(const syslog_options& options);
  void use_path(const std::string& given);

  std::vector<address> addresses_;
  std::size_t next_address_ = 0;
  const bool stream_;
  const bool local_;
  const std::chrono::milliseconds send_timeout_;
  std::string name_;
  state state_ = state::closed;
  int descriptor_ = -1;
  descriptor_identity identity_; ///< of descriptor_
};

} // namespace faultline::detail
