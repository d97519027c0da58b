// A mail server whose answers a test makes up, one connection after the other.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace faultline::test {

/// A socket that listens on a free port of loopback; connections to it succeed, and nothing is ever answered.
class silent_server {
 public:
  silent_server() {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (descriptor_ < 0 || ::bind(descriptor_, plain, size) != 0 || ::listen(descriptor_, 16) != 0 ||
        ::getsockname(descriptor_, plain, &size) != 0)
      throw std::runtime_error("no port to listen on");
    port_ = ntohs(address.sin_port);
  }
  silent_server(const silent_server&) = delete;
  silent_server& operator=(const silent_server&) = delete;
  ~silent_server() { ::close(descriptor_); }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

/// A port on which nobody listens.
inline std::uint16_t unused_port() { return silent_server().port(); }

/// Answers each command line with what `answer(line)` returns: "" is silence, "close" ends the connection
/// without a word. "greeting" and "." stand for the connection's beginning and the end of a mail. `answer`
/// runs on the server's thread; without a special wish it should return `usual(line)`.
class scripted_server {
 public:
  using script = std::function<std::string(const std::string& line)>;

  /// Returns once its thread serves: a test may fork then, as no thread is about to start, with the
  /// allocator's locks taken.
  explicit scripted_server(script answer = usual) : answer_(std::move(answer)), thread_([this] { serve(); }) {
    while (!serves_) std::this_thread::yield();
  }
  ~scripted_server() {
    ending_ = true;
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return socket_.port(); }
  /// The mails that were accepted by "250", as sent.
  [[nodiscard]] std::vector<std::string> mails() const {
    const std::lock_guard lock(mutex_);
    return mails_;
  }
  /// The commands received; DATA's lines are not among them.
  [[nodiscard]] std::vector<std::string> commands() const {
    const std::lock_guard lock(mutex_);
    return commands_;
  }
  [[nodiscard]] std::size_t connections() const noexcept { return connections_; }

  static std::string usual(const std::string& line) {
    const std::string verb = line.substr(0, 4);
    if (verb == "gree") return "220 test\r\n";
    if (verb == "EHLO") return "250-test\r\n250 8BITMIME\r\n";
    if (verb == "DATA") return "354 go on\r\n";
    if (verb == "QUIT") return "221 bye\r\n";
    return "250 good\r\n";
  }

 private:
  void serve() {
    serves_ = true;
    while (!ending_) {
      if (!readable(socket_.descriptor())) continue;
      const int connection = ::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      ++connections_;
      converse(connection);
      ::close(connection);
    }
  }

  static bool readable(int descriptor) {
    pollfd watched{descriptor, POLLIN, 0};
    return ::poll(&watched, 1, 10) > 0;
  }

  /// False when the connection is to end.
  bool say(int connection, const std::string& line) {
    const std::string reply = answer_(line);
    if (reply == "close") return false;
    in_data_ = line == "DATA" && reply.substr(0, 3) == "354";
    if (line == "." && reply.substr(0, 3) == "250") {
      const std::lock_guard lock(mutex_);
      mails_.push_back(mail_);
    }
    return reply.empty() ||
           (::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL) > 0 && line != "QUIT");
  }

  void converse(int connection) {
    std::string input;
    in_data_ = false;
    bool going = say(connection, "greeting");
    while (going && !ending_) {
      const std::size_t end = input.find("\r\n");
      if (end == std::string::npos) {
        if (!readable(connection)) continue;
        char bytes[4096];
        const ::ssize_t n = ::recv(connection, bytes, sizeof bytes, 0);
        if (n <= 0) return;
        input.append(bytes, static_cast<std::size_t>(n));
        continue;
      }
      const std::string line = input.substr(0, end);
      input.erase(0, end + 2);
      going = take(connection, line);
    }
  }

  bool take(int connection, const std::string& line) {
    if (in_data_) {
      if (line == ".") return say(connection, line);
      mail_ += line + "\r\n";
      return true;
    }
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(line);
    }
    if (line == "DATA") mail_.clear();
    return say(connection, line);
  }

  silent_server socket_;
  script answer_;
  std::atomic<bool> serves_{false};         // the thread has started; nothing else depends on it
  std::atomic<bool> ending_{false};         // the test's wish; nothing else depends on it
  std::atomic<std::size_t> connections_{0}; // a counter
  bool in_data_ = false;
  std::string mail_;
  mutable std::mutex mutex_;
  std::vector<std::string> mails_;
  std::vector<std::string> commands_;
  std::thread thread_;
};

} // namespace faultline::test
