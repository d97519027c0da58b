#include "handlers/console_handler.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/colored_formatter.hpp"
#include "handlers/stream_handler.hpp"

namespace faultline {
namespace detail {
namespace {

bool is_set(const char* value) noexcept { return value != nullptr && *value != '\0'; }

bool is_zero(const char* value) noexcept { return value != nullptr && std::string_view(value) == "0"; }

/// A pipe that is ready takes this much without waiting (PIPE_BUF).
constexpr std::size_t bytes_at_once = 4096;

/// The terminal or pipe behind the descriptor, opened once more so that it does not wait; -1 where that
/// cannot be had. The flag of the descriptor itself is shared with other programs, whose writes would begin
/// to fail.
int open_without_waiting(int descriptor) {
  struct ::stat facts {};
  if (::fstat(descriptor, &facts) != 0 || !(S_ISFIFO(facts.st_mode) || ::isatty(descriptor) == 1)) return -1;
  std::array<char, 32> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/self/fd/{}", descriptor);
  return ::open(path.data(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/// A terminal that is ready may have room for one byte only, and a pipe's room may be another writer's by the
/// time of the write: so each is opened anew, and anew each time, since the program may put something else
/// behind the descriptor. Where that fails, what is ready takes `bytes_at_once` nearly always.
::ssize_t write_without_waiting(int descriptor, const void* bytes, std::size_t count) {
  if (const int own = open_without_waiting(descriptor); own >= 0) {
    const ::ssize_t written = ::write(own, bytes, count);
    const int error = errno;
    (void)::close(own);
    errno = error;
    return written;
  }
  ::pollfd console{descriptor, POLLOUT, 0};
  const int ready = ::poll(&console, 1, 0);
  if (ready == 0) errno = EAGAIN;
  if (ready <= 0) return -1;
  return ::write(descriptor, bytes, std::min(count, bytes_at_once));
}

} // namespace

bool wants_color(color_mode mode, const console_facts& facts) noexcept {
  if (mode != color_mode::automatic) return mode == color_mode::always;
  if (is_set(facts.no_color)) return false;
  for (const char* force : {facts.force_color, facts.clicolor_force})
    if (is_set(force) && !is_zero(force)) return true;
  if (is_zero(facts.clicolor) || is_zero(facts.force_color)) return false;
  return facts.is_terminal && is_set(facts.term) && std::string_view(facts.term) != "dumb";
}

const system_calls& console_calls() noexcept {
  static const system_calls calls = [] {
    system_calls c = real_system_calls();
    c.write = write_without_waiting;
    return c;
  }();
  return calls;
}

} // namespace detail

handler_ptr make_console_handler(console_options options) {
  const int descriptor = detail::descriptor_of(options.stream);
  formatter_ptr text = make_text_formatter(options.pattern, {.envelope = options.envelope});
  const detail::console_facts facts = {.is_terminal = ::isatty(descriptor) == 1,
                                       .no_color = std::getenv("NO_COLOR"),
                                       .force_color = std::getenv("FORCE_COLOR"),
                                       .clicolor_force = std::getenv("CLICOLOR_FORCE"),
                                       .clicolor = std::getenv("CLICOLOR"),
                                       .term = std::getenv("TERM")};
  if (detail::wants_color(options.color, facts)) text = detail::make_colored_formatter(std::move(text));
  auto h = std::make_shared<detail::stream_handler>(descriptor, detail::console_calls());
  h->set_formatter(std::move(text));
  return h;
}

} // namespace faultline
