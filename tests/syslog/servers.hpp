// Syslog servers that read when a test tells them to.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <faultline/handler.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"

namespace faultline::test {

inline void flush_quietly(handler& h) {
  try {
    h.flush();
  } catch (const std::system_error&) {
  }
}

/// A server that takes one connection at a time and reads when it is told to.
class tcp_server {
 public:
  explicit tcp_server(std::uint16_t port = 0) : listener_(SOCK_STREAM, port) {
    REQUIRE(listener_.is_bound());
    REQUIRE(::listen(listener_.descriptor(), 8) == 0);
    REQUIRE(::fcntl(listener_.descriptor(), F_SETFL, O_NONBLOCK) == 0);
  }
  ~tcp_server() {
    hang_up();
    for (const int other : others_) ::close(other);
  }
  static constexpr bool keep = true;
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  /// Shrinks the receive window, to be called before a connection.
  void narrow() {
    const int bytes = 4096;
    REQUIRE(::setsockopt(listener_.descriptor(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
  }
  /// Takes a connection, while the handler works at it.
  void accept(handler& h, bool keep_other = false) {
    if (keep_other)
      others_.push_back(connection_);
    else
      hang_up();
    REQUIRE(within(std::chrono::seconds(10), [&] {
      flush_quietly(h);
      connection_ = ::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      return connection_ >= 0;
    }));
  }
  /// Reads what is there.
  std::string& read() {
    std::array<char, 65536> bytes;
    for (;;) {
      const ::ssize_t count = ::recv(connection_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (count <= 0) return text_;
      text_.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }
  void hang_up() {
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
  }
  void forget() { text_.clear(); }

  /// The messages of the text read so far, by their octet counts; the rest of a message stays out.
  [[nodiscard]] std::vector<std::string> messages() const {
    std::vector<std::string> result;
    std::string_view rest = text_;
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      if (space == std::string_view::npos) break;
      const auto size = static_cast<std::size_t>(std::stoul(std::string(rest.substr(0, space))));
      if (rest.size() < space + 1 + size) break;
      result.emplace_back(rest.substr(space + 1, size));
      rest.remove_prefix(space + 1 + size);
    }
    return result;
  }

 private:
  bound_socket listener_;
  int connection_ = -1;
  std::vector<int> others_;
  std::string text_;
};

/// A datagram socket at a path that reads when it is told to.
class local_server {
 public:
  explicit local_server(const std::string& path) : path_(path) {
    ::sockaddr_un a{};
    a.sun_family = AF_UNIX;
    REQUIRE(path.copy(a.sun_path, sizeof a.sun_path - 1) == path.size());
    REQUIRE(::bind(descriptor_, reinterpret_cast<::sockaddr*>(&a), sizeof a) == 0);
  }
  ~local_server() {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  /// One message, or an empty text.
  std::string read() {
    std::string bytes(65536, '\0');
    const ::ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

 private:
  const std::string path_;
  const int descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

} // namespace faultline::test
