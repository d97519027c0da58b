// A server that a test starts and ends, by its process id.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/in_time.hpp"

namespace faultline::test {

class child_process {
 public:
  explicit child_process(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& w : words) arguments.push_back(w.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ != 0) return;
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that is killed leaves no server behind
    if (const int nowhere = ::open("/dev/null", O_RDWR); nowhere >= 0)
      for (const int standard : {0, 1, 2}) (void)::dup2(nowhere, standard);
    (void)::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() { end(SIGKILL); }

  /// Sends the signal and waits for the end.
  void end(int signal = SIGTERM) {
    if (pid_ <= 0) return;
    (void)::kill(pid_, signal);
    (void)::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  ::pid_t pid_ = -1;
};

/// A socket bound to a free port of the loopback interface.
class bound_socket {
 public:
  explicit bound_socket(int type, std::uint16_t port = 0)
      : descriptor_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    if (type == SOCK_STREAM) (void)::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    ::socklen_t size = sizeof address;
    bound_ = ::bind(descriptor_, reinterpret_cast<::sockaddr*>(&address), size) == 0 &&
             ::getsockname(descriptor_, reinterpret_cast<::sockaddr*>(&address), &size) == 0;
    port_ = ntohs(address.sin_port);
  }
  bound_socket(const bound_socket&) = delete;
  bound_socket& operator=(const bound_socket&) = delete;
  ~bound_socket() { close(); }

  [[nodiscard]] bool is_bound() const { return bound_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) (void)::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_;
  bool bound_ = false;
  std::uint16_t port_ = 0;
};

[[nodiscard]] inline std::uint16_t free_port(int type) { return bound_socket(type).port(); }

} // namespace faultline::test
