#include "flusher/error_log.hpp"

#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "format/escape.hpp"

namespace faultline::detail {

void error_log::add(kind k, std::string_view detail, std::uint64_t now_ns) noexcept {
  constexpr std::uint64_t interval_ns = 1'000'000'000;
  constexpr std::array<std::string_view, 3> names{"handler", "format", "flusher"};
  state& s = states_[static_cast<std::size_t>(k)];
  ++s.waiting;
  if (s.last_ns != 0 && now_ns - s.last_ns < interval_ns) return;
  s.last_ns = now_ns;
  const error_report report{names[static_cast<std::size_t>(k)], detail, s.waiting};
  s.waiting = 0;
  try {
    if (on_error_) return on_error_(report);
    std::string line = fmt::format("faultline: {}: ", report.kind);
    append_escaped(detail, line);
    if (report.count > 1) line += fmt::format(" ({} failures)", report.count);
    line += '\n';
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  } catch (...) { // a callback that throws, or no memory for the line: there is nobody left to tell
  }
}

} // namespace faultline::detail
