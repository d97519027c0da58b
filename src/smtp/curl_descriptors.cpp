#include "smtp/curl_descriptors.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace faultline::detail {
namespace {

/// Never destroyed: a handler may end after all statics. The mutex is held within a fork_gate only, so no
/// child finds it locked.
struct lines {
  std::mutex mutex;
  std::vector<std::unique_ptr<curl_line>> made;
  std::vector<curl_line*> idle;
};

lines& all_lines() {
  static auto* const the_lines = new lines;
  return *the_lines;
}

void close_own(int descriptor, const descriptor_identity& identity) noexcept {
  if (identity.is_at(descriptor)) (void)::close(descriptor);
}

} // namespace

CURLcode curl_sockets::watch(CURL* easy) noexcept {
  CURLcode result = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &curl_sockets::open_one);
  if (result == CURLE_OK) result = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  if (result == CURLE_OK)
    result = curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &curl_sockets::close_one);
  return result == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this) : result;
}

bool curl_sockets::are_ours() const noexcept {
  return std::all_of(slots_.begin(), slots_.end(), [](const slot& s) {
    const int number = s.number.load(std::memory_order_relaxed);
    return number < 0 || s.identity.is_at(number);
  });
}

void curl_sockets::shut_down() const noexcept {
  for (const slot& s : slots_)
    if (const int number = s.number.load(std::memory_order_relaxed); number >= 0)
      (void)::shutdown(number, SHUT_RDWR);
}

void curl_sockets::close() noexcept {
  for (slot& s : slots_) close_own(s.number.exchange(-1, std::memory_order_relaxed), s.identity);
}

curl_socket_t curl_sockets::open_one(void* self, curlsocktype, curl_sockaddr* address) {
  auto& slots = static_cast<curl_sockets*>(self)->slots_;
  const auto room = std::find_if(slots.begin(), slots.end(),
                                 [](const slot& s) { return s.number.load(std::memory_order_relaxed) < 0; });
  if (room == slots.end()) return CURL_SOCKET_BAD;
  const int descriptor =
      above_standard_streams(::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol));
  room->identity = descriptor_identity::of(descriptor);
  room->number.store(descriptor, std::memory_order_relaxed);
  return descriptor;
}

int curl_sockets::close_one(void* self, curl_socket_t descriptor) {
  // Forgotten first: a fork in between must not make the child close the number's next user.
  for (slot& s : static_cast<curl_sockets*>(self)->slots_)
    if (s.number.load(std::memory_order_relaxed) == descriptor) {
      s.number.store(-1, std::memory_order_relaxed);
      close_own(descriptor, s.identity);
    }
  return 0;
}

standard_streams_taken::standard_streams_taken() noexcept {
  for (int number = 0; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor > STDERR_FILENO)
      (void)::close(descriptor); // somebody else took the number
    else if (descriptor >= 0)
      held_[static_cast<std::size_t>(descriptor)] = descriptor_identity::of(descriptor);
  }
}

standard_streams_taken::~standard_streams_taken() {
  for (int number = 0; number <= STDERR_FILENO; ++number)
    close_own(number, held_[static_cast<std::size_t>(number)]);
}

curl_line& take_line() {
  lines& all = all_lines();
  const std::lock_guard lock(all.mutex);
  if (all.idle.empty()) {
    all.idle.reserve(all.made.size() + 1); // giving back needs no memory
    auto line = std::make_unique<curl_line>();
    all.made.reserve(all.made.size() + 1);
    const standard_streams_taken guard;
    if ((line->multi = curl_multi_init()) == nullptr) throw std::bad_alloc();
    all.idle.push_back(line.get());
    all.made.push_back(std::move(line));
  }
  curl_line& line = *all.idle.back();
  all.idle.pop_back();
  return line;
}

void give_back(curl_line& line) noexcept {
  if (!line.sockets.are_ours()) return line.sockets.close();
  // Whatever the libcurl at hand likes to do with a connection it closes, it shall not wait for an answer.
  line.sockets.shut_down();
  CURL* const easy = std::exchange(line.easy, nullptr);
  curl_multi_remove_handle(line.multi, easy);
  curl_easy_cleanup(easy);
  lines& all = all_lines();
  const std::lock_guard lock(all.mutex);
  all.idle.push_back(&line);
}

} // namespace faultline::detail
