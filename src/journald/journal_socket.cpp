#include "journald/journal_socket.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fmt/format.h>

#include <faultline/configuration_error.hpp>

namespace faultline::detail {
namespace {

/// What the journal demands of a memory file: nobody changes it while it is read.
constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

int fill_and_seal(int file, std::string_view entry) noexcept {
  while (!entry.empty()) {
    const ::ssize_t count = ::write(file, entry.data(), entry.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    entry.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fcntl(file, F_ADD_SEALS, all_seals) == 0 ? 0 : errno;
}

} // namespace

journal_socket::journal_socket(const std::string& path) {
  if (path.empty() || path.size() >= sizeof address_.sun_path || path.find('\0') != std::string::npos)
    throw configuration_error("socket_path", path.substr(0, path.find('\0')),
                              fmt::format("1 to {} bytes without a null", sizeof address_.sun_path - 1));
  address_.sun_family = AF_UNIX;
  std::memcpy(address_.sun_path, path.data(), path.size());
}

bool journal_socket::verify() noexcept {
  if (descriptor_ < 0 || identity_.is_at(descriptor_)) return true;
  descriptor_ = -1;
  return false;
}

int journal_socket::send(std::string_view entry) {
  reached_ = false;
  if (descriptor_ < 0) {
    const int descriptor =
        above_standard_streams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (descriptor < 0) return errno;
    identity_ = descriptor_identity::of(descriptor);
    descriptor_ = descriptor;
  }
  const int error = send_datagram(entry);
  // ENOBUFS is what a datagram gets for which the kernel finds no memory in one piece.
  return error == EMSGSIZE || error == ENOBUFS ? send_file(entry) : error;
}

int journal_socket::send_datagram(std::string_view entry) noexcept {
  const ::ssize_t count = ::sendto(descriptor_, entry.data(), entry.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                   reinterpret_cast<const ::sockaddr*>(&address_), sizeof address_);
  return count < 0 ? errno : 0;
}

int journal_socket::send_file(std::string_view entry) noexcept {
  const int file =
      above_standard_streams(::memfd_create("faultline-journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file < 0) return without_file(errno);
  const descriptor_identity identity = descriptor_identity::of(file);
  int error = fill_and_seal(file, entry);
  if (error != 0) {
    error = without_file(error);
  } else {
    alignas(::cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    ::msghdr message{};
    message.msg_name = &address_;
    message.msg_namelen = sizeof address_;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ::cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &file, sizeof file);
    if (::sendmsg(descriptor_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) error = errno;
  }
  if (identity.is_at(file)) (void)::close(file);
  return error;
}

/// A datagram that is too large is refused before the kernel looks for its receiver: whether there is one is
/// asked here. That the socket is connected then changes nothing, since each datagram names its receiver.
int journal_socket::without_file(int error) noexcept {
  if (::connect(descriptor_, reinterpret_cast<const ::sockaddr*>(&address_), sizeof address_) != 0)
    return errno;
  reached_ = true;
  return error;
}

void journal_socket::close() noexcept {
  // Forgotten first: a fork in between must not make the child close the number's next user.
  const int descriptor = std::exchange(descriptor_, -1);
  if (identity_.is_at(descriptor)) (void)::close(descriptor);
}

} // namespace faultline::detail
