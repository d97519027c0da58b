#include "syslog/syslog_link.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include <faultline/configuration_error.hpp>

namespace faultline::detail {
namespace {

/// getaddrinfo's errors.
class resolver_category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "resolver"; }
  [[nodiscard]] std::string message(int code) const override { return ::gai_strerror(code); }
};

const std::error_category& resolver_errors() noexcept {
  static const resolver_category category;
  return category;
}

struct address_list_deleter {
  void operator()(::addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

void set_option(int descriptor, int protocol, int option, int value) noexcept {
  // Best effort: without it the link is slower to notice, not wrong.
  (void)::setsockopt(descriptor, protocol, option, &value, sizeof value);
}

} // namespace

syslog_link::syslog_link(const syslog_options& options)
    : stream_(options.transport == syslog_transport::tcp),
      local_(options.transport == syslog_transport::unix_datagram), send_timeout_(options.send_timeout) {
  switch (options.transport) {
  case syslog_transport::unix_datagram: use_path(options.path); return;
  case syslog_transport::udp:
  case syslog_transport::tcp: resolve(options); return;
  }
  throw configuration_error("transport", std::to_string(static_cast<unsigned>(options.transport)),
                            "unix_datagram, udp or tcp");
}

void syslog_link::use_path(const std::string& given) {
  // Absolute: chdir changes nothing.
  const std::string path = given.empty() ? given : std::filesystem::absolute(given).string();
  ::sockaddr_un local{};
  local.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof local.sun_path || path.find('\0') != std::string::npos)
    throw configuration_error("path", path.substr(0, path.find('\0')),
                              fmt::format("1 to {} bytes without a null", sizeof local.sun_path - 1));
  std::memcpy(local.sun_path, path.data(), path.size());
  address a{};
  std::memcpy(&a.storage, &local, sizeof local);
  a.size = sizeof local;
  addresses_.push_back(a);
  name_ = path;
}

void syslog_link::resolve(const syslog_options& options) {
  if (options.host.empty() || options.host.find('\0') != std::string::npos)
    throw configuration_error("host", options.host.substr(0, options.host.find('\0')),
                              "a numeric address or a name");
  if (options.port == 0) throw configuration_error("port", "0", "1 to 65535");
  ::addrinfo hints{};
  hints.ai_socktype = stream_ ? SOCK_STREAM : SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  ::addrinfo* found = nullptr;
  const int error = ::getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  const int system_error = errno;
  const std::unique_ptr<::addrinfo, address_list_deleter> list(found);
  if (error == EAI_SYSTEM)
    throw std::system_error(system_error, std::generic_category(), "host: " + options.host);
  if (error != 0) throw std::system_error(error, resolver_errors(), "host: " + options.host);
  for (const ::addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_addrlen > sizeof(::sockaddr_storage)) continue;
    address a{};
    std::memcpy(&a.storage, at->ai_addr, at->ai_addrlen);
    a.size = at->ai_addrlen;
    addresses_.push_back(a);
  }
  if (addresses_.empty()) throw configuration_error("host", options.host, "it has no address");
  name_ = fmt::format("{}:{}", options.host, options.port);
}

bool syslog_link::verify() noexcept {
  if (descriptor_ < 0 || identity_.is_at(descriptor_)) return true;
  descriptor_ = -1;
  state_ = state::closed;
  return false;
}

int syslog_link::begin() {
  close();
  const address& a = addresses_[next_address_];
  next_address_ = (next_address_ + 1) % addresses_.size();
  const int type = (stream_ ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const int descriptor = above_standard_streams(::socket(a.storage.ss_family, type, 0));
  if (descriptor < 0) return errno;
  identity_ = descriptor_identity::of(descriptor);
  descriptor_ = descriptor;
  if (stream_) {
    set_option(descriptor_, IPPROTO_TCP, TCP_NODELAY, 1); // a round's text leaves in one piece as it is
    set_option(descriptor_, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(send_timeout_.count()));
    set_option(descriptor_, SOL_SOCKET, SO_SNDBUF, unacknowledged_bytes / 2); // the kernel doubles it
    set_option(descriptor_, SOL_SOCKET, SO_KEEPALIVE, 1); // a peer that vanished while nothing was sent
  }
  if (::connect(descriptor_, reinterpret_cast<const ::sockaddr*>(&a.storage), a.size) == 0) {
    state_ = state::open;
    return 0;
  }
  const int error = errno;
  if (error == EINPROGRESS || error == EINTR) {
    state_ = state::connecting;
    return 0;
  }
  close();
  return error;
}

int syslog_link::poll_connect() {
  if (state_ == state::open) return 0;
  ::pollfd waiting{descriptor_, POLLOUT, 0};
  if (::poll(&waiting, 1, 0) <= 0) return EINPROGRESS;
  int error = 0;
  ::socklen_t size = sizeof error;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    close();
    return error;
  }
  state_ = state::open;
  return 0;
}

int syslog_link::check() {
  std::array<char, 4096> unheeded;
  // A server that talks without end is heard in the next round.
  for (int i = 0; i < 16; ++i) {
    const ::ssize_t count = ::recv(descriptor_, unheeded.data(), unheeded.size(), MSG_DONTWAIT);
    if (count == 0 && stream_) return EPIPE;
    if (count >= 0) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
    return errno;
  }
  return 0;
}

::ssize_t syslog_link::send(std::span<::iovec> parts) {
  ::msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return ::sendmsg(descriptor_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool syslog_link::has_unacknowledged() const noexcept {
  int bytes = 0;
  return stream_ && state_ == state::open && ::ioctl(descriptor_, SIOCOUTQ, &bytes) == 0 && bytes != 0;
}

std::chrono::milliseconds syslog_link::silence() const noexcept {
  ::tcp_info facts{};
  ::socklen_t size = sizeof facts;
  if (!stream_ || ::getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &facts, &size) != 0) return {};
  return std::chrono::milliseconds(facts.tcpi_last_ack_recv);
}

void syslog_link::close() noexcept {
  // Forgotten first: a fork in between must not make the child close the number's next user.
  const int descriptor = std::exchange(descriptor_, -1);
  if (identity_.is_at(descriptor))
    (void)::close(descriptor); // not retried: Linux has freed the number in any case
  state_ = state::closed;
}

} // namespace faultline::detail
