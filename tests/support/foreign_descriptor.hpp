// What a program opens under a number that it closed without asking whose it was.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/in_time.hpp"
#include "support/temporary_directory.hpp"

namespace faultline::test {

/// Whether the sources under test take any descriptor for their own (support/always_ours): a check of what is
/// foreign must fail then.
#ifdef FAULTLINE_ALWAYS_OURS
inline constexpr bool always_ours = true;
#else
inline constexpr bool always_ours = false;
#endif

/// The program's data file, or one end of its own stream socket, with bytes to read.
enum class foreign { file, socket };

/// Closes a number and has the program's own open there, until the end.
class foreign_descriptor {
 public:
  foreign_descriptor(int number, foreign kind) : number_(number) {
    REQUIRE(number >= 0);
    int opened = -1;
    if (kind == foreign::file) {
      opened = ::open(dir_.file("data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    } else {
      int both[2] = {-1, -1};
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) == 0);
      opened = both[0];
      peer_ = both[1];
      REQUIRE(::send(peer_, "theirs", 6, 0) == 6);
    }
    REQUIRE(opened >= 0);
    REQUIRE(::dup3(opened, number, O_CLOEXEC) == number);
    ::close(opened);
    REQUIRE(::fstat(number, &facts_) == 0);
  }
  foreign_descriptor(const foreign_descriptor&) = delete;
  foreign_descriptor& operator=(const foreign_descriptor&) = delete;
  ~foreign_descriptor() {
    if (is_open()) ::close(number_);
    if (peer_ >= 0) ::close(peer_);
  }

  /// Still open, nothing was written to it, nothing read from it, nobody told its peer that it ends.
  [[nodiscard]] bool is_untouched() const {
    if (!is_open()) return false;
    if (peer_ < 0) return std::filesystem::file_size(dir_.file("data")) == 0;
    int unread = 0;
    char byte = 0;
    return ::ioctl(number_, FIONREAD, &unread) == 0 && unread == 6 &&
           ::recv(peer_, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
  }

 private:
  [[nodiscard]] bool is_open() const {
    struct ::stat now {};
    return ::fstat(number_, &now) == 0 && now.st_dev == facts_.st_dev && now.st_ino == facts_.st_ino;
  }

  const temporary_directory dir_;
  const int number_;
  int peer_ = -1;
  struct ::stat facts_ {};
};

inline std::set<int> open_descriptors() {
  std::set<int> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    result.insert(std::stoi(entry.path().filename()));
  for (auto at = result.begin(); at != result.end();) // but for the one that listed them
    at = ::fcntl(*at, F_GETFD) < 0 ? result.erase(at) : std::next(at);
  return result;
}

/// The socket that is connected to that port of this machine, or -1.
inline int socket_towards(std::uint16_t port) {
  for (const int descriptor : open_descriptors()) {
    ::sockaddr_in peer{};
    ::socklen_t size = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<::sockaddr*>(&peer), &size) == 0 &&
        peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
      return descriptor;
  }
  return -1;
}

/// Whether it is so in a forked child, which is not to use Catch's macros.
template <class Check> [[nodiscard]] bool in_child(Check&& check) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    int result = 2;
    try {
      result = check() ? 0 : 1;
    } catch (...) { // 2
    }
    ::_exit(result);
  }
  int status = -1;
  const bool ended =
      within(std::chrono::minutes(1), [&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) {
    ::kill(child, SIGABRT); // a core file shows where it hangs
    ::waitpid(child, &status, 0);
  }
  CHECK(ended);
  INFO("the child's status: " << status);
  CHECK(WIFEXITED(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace faultline::test
