#include "flusher/error_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/output_stream.hpp"
#include "base/system_calls.hpp"
#include "base/whole_characters.hpp"
#include "format/escape.hpp"

namespace faultline::detail {
namespace {

constexpr std::uint64_t interval_ns = 1'000'000'000;
/// Of a report's text: with all of it escaped, a line is no longer than a pipe takes at once (PIPE_BUF).
constexpr std::size_t most_bytes = 1000;

} // namespace

error_log::error_log(std::function<void(const error_report&)> on_error, descriptor_identity* standard_error)
    : on_error_(std::move(on_error)), present_(descriptor_identity::of(STDERR_FILENO)),
      standard_error_(standard_error != nullptr ? standard_error : &present_) {
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
  detail = whole_characters(detail, most_bytes);
  if (e.last_ns == 0 || now_ns - e.last_ns >= interval_ns) return report(e, detail, now_ns);
  keeps_any_ = true;
  try {
    e.latest.assign(detail);
  } catch (...) { // an earlier one's text will do
  }
}

void error_log::report_due(std::uint64_t now_ns) noexcept {
  (void)write_tail();
  for (entry& e : entries_)
    if (e.waiting != 0 && now_ns - e.last_ns >= interval_ns) report(e, e.latest, now_ns);
  keeps_any_ = !tail_.empty() ||
               std::any_of(entries_.begin(), entries_.end(), [](const entry& e) { return e.waiting != 0; });
}

void error_log::report(entry& e, std::string_view detail, std::uint64_t now_ns) noexcept {
  constexpr std::array<std::string_view, 2> names{"handler", "flusher"};
  e.last_ns = now_ns;
  try {
    if (tell({names[static_cast<std::size_t>(e.about)], detail, e.waiting})) e.waiting = 0;
    e.latest.assign(detail); // for the next attempt
  } catch (...) {            // no memory for the line: it waits
  }
  keeps_any_ = keeps_any_ || e.waiting != 0 || !tail_.empty();
}

/// False when standard error takes nothing at the moment.
bool error_log::tell(const error_report& r) {
  if (on_error_) {
    try {
      on_error_(r);
    } catch (...) { // there is nobody left to tell
    }
    return true;
  }
  if (!write_tail()) return false;
  std::string line = fmt::format("faultline: {}: ", r.kind);
  append_escaped(r.detail, line);
  if (r.count > 1) line += fmt::format(" ({} failures)", r.count);
  line += '\n';
  tail_ = std::move(line);
  const std::size_t whole = tail_.size();
  (void)write_tail();
  if (tail_.size() < whole) return true;
  tail_.clear();
  return false;
}

void error_log::accept_standard_error() noexcept {
  if (const descriptor_identity now = output_stream_at(STDERR_FILENO); now.is_known()) *standard_error_ = now;
}

/// Not where the number is a file of the program's own by now: what is to be told waits.
bool error_log::may_write() const noexcept {
  struct ::stat facts {};
  return ::fstat(STDERR_FILENO, &facts) == 0 &&
         (*standard_error_ == descriptor_identity(facts) || is_null_device(facts));
}

/// What a terminal took a part of; true when nothing is left.
bool error_log::write_tail() noexcept {
  if (tail_.empty()) return true;
  if (!may_write()) return false;
  const ::ssize_t count = calls_without_waiting().write(STDERR_FILENO, tail_.data(), tail_.size());
  if (count > 0) tail_.erase(0, static_cast<std::size_t>(count));
  return tail_.empty();
}

} // namespace faultline::detail
