#include "flusher/error_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/system_calls.hpp"
#include "format/escape.hpp"

namespace faultline::detail {
namespace {

constexpr std::uint64_t interval_ns = 1'000'000'000;
constexpr std::size_t most_kept_bytes = 1024;

} // namespace

error_log::error_log(std::function<void(const error_report&)> on_error) : on_error_(std::move(on_error)) {
  entries_.emplace_back(kind::handler, nullptr);
  entries_.emplace_back(kind::flusher, nullptr);
}

/// Where there is no memory for a new one: the one that all such sources share.
error_log::entry& error_log::find(kind k, const void* source) noexcept {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const entry& e) { return e.about == k && e.source == source; });
  if (found != entries_.end()) return *found;
  try {
    return entries_.emplace_back(k, source);
  } catch (...) {
    return find(k, nullptr);
  }
}

void error_log::add(kind k, const void* source, std::string_view detail, std::uint64_t now_ns) noexcept {
  entry& e = find(k, source);
  ++e.waiting;
  if (e.last_ns == 0 || now_ns - e.last_ns >= interval_ns) return report(e, detail, now_ns);
  keeps_any_ = true;
  try {
    e.latest.assign(detail.substr(0, most_kept_bytes));
  } catch (...) { // an earlier one's text will do
  }
}

void error_log::report_due(std::uint64_t now_ns) noexcept {
  for (entry& e : entries_)
    if (e.waiting != 0 && now_ns - e.last_ns >= interval_ns) report(e, e.latest, now_ns);
  keeps_any_ = std::any_of(entries_.begin(), entries_.end(), [](const entry& e) { return e.waiting != 0; });
}

void error_log::report(entry& e, std::string_view detail, std::uint64_t now_ns) noexcept {
  constexpr std::array<std::string_view, 2> names{"handler", "flusher"};
  e.last_ns = now_ns;
  try {
    const bool is_told = tell({names[static_cast<std::size_t>(e.about)], detail, e.waiting});
    e.waiting = is_told ? 0 : e.waiting;
    e.latest.assign(detail.substr(0, most_kept_bytes)); // for the next attempt
  } catch (...) { // a callback that throws, or no memory for the line: there is nobody left to tell
    e.waiting = 0;
  }
  keeps_any_ = keeps_any_ || e.waiting != 0;
}

/// False when standard error takes nothing at the moment.
bool error_log::tell(const error_report& r) {
  if (on_error_) {
    on_error_(r);
    return true;
  }
  std::string line = fmt::format("faultline: {}: ", r.kind);
  append_escaped(r.detail, line);
  if (r.count > 1) line += fmt::format(" ({} failures)", r.count);
  line += '\n';
  return calls_without_waiting().write(STDERR_FILENO, line.data(), line.size()) >= 0;
}

} // namespace faultline::detail
