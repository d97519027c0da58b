#include "journald/journald_handler.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include <unistd.h>

#include <faultline/configuration_error.hpp>

namespace faultline {
namespace detail {
namespace {

/// More than this is sent by `write` itself.
constexpr std::size_t write_bytes = 256U << 10;

/// The journal's queue is full: it is only slower.
bool is_busy(int error) noexcept {
  // ETOOMANYREFS: it has yet to take the files that were sent to it.
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ETOOMANYREFS;
}

std::size_t checked_spool(std::size_t bytes) {
  if (bytes == 0) throw configuration_error("spool_bytes", "0", "at least one byte is needed");
  return bytes;
}

} // namespace

journald_handler::journald_handler(const journald_options& options)
    : envelope_(options.envelope), spool_bytes_(checked_spool(options.spool_bytes)),
      path_(options.socket_path.empty() ? options.socket_path
                                        : std::filesystem::absolute(options.socket_path).string()),
      encoder_(options), socket_(path_), owner_process_(::getpid()) {
  set_formatter(make_text_formatter("{message}", {.envelope = false}));
}

journald_handler::~journald_handler() {
  // A child that exits without having logged destroys copies of the parent's handlers.
  if (::getpid() != owner_process_) {
    abandon_copy();
    return;
  }
  try {
    send_waiting();
  } catch (...) { // memory is short: what is left is counted below
  }
  lose_waiting();
}

void journald_handler::lose_waiting() noexcept {
  report_dropped(static_cast<std::uint64_t>(std::count_if(waiting_->entries.begin(), waiting_->entries.end(),
                                                          [](const entry& e) { return e.is_record; })));
  waiting_->entries.clear();
  waiting_->bytes = 0;
}

void journald_handler::write(const batch& records) {
  if (records.empty()) return;
  // A full spool refuses before the work of formatting.
  if (waiting_->bytes >= spool_bytes_) send_waiting();
  if (waiting_->bytes >= spool_bytes_) return refuse(records.size());
  std::vector<entry> entries;
  entries.reserve(records.size() + 1);
  std::size_t bytes = 0;
  const auto add = [&](std::string&& text, bool is_record) {
    bytes += text.size();
    entries.push_back({std::move(text), is_record});
  };
  if (const dump_envelope* dump = records.envelope(); dump != nullptr && envelope_) {
    const auto gravest =
        std::max_element(records.begin(), records.end(),
                         [](const record_view& a, const record_view& b) { return a.level < b.level; });
    add(encoder_.encode(*dump, gravest->level), false);
  }
  for (const record_view& r : records) {
    waiting_->text.clear();
    current_formatter().format(batch({&r, 1}), waiting_->text);
    if (waiting_->text.ends_with('\n')) waiting_->text.pop_back();
    add(encoder_.encode(r, waiting_->text), true);
  }
  if (!has_room(bytes)) send_waiting();
  if (!has_room(bytes)) return refuse(records.size());
  std::deque<entry>& waiting = waiting_->entries;
  const std::size_t before = waiting.size();
  try {
    for (entry& e : entries) waiting.push_back(std::move(e));
  } catch (...) { // memory is short: a batch waits whole or not at all
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(before), waiting.end());
    throw;
  }
  waiting_->bytes += bytes;
  if (waiting_->bytes > write_bytes) send_waiting();
}

void journald_handler::refuse(std::size_t records) noexcept {
  report_lost(records);
  if (reported_ || std::exchange(refusal_reported_, true)) return; // for a failing journal, that says it
  unreported_error_ = EAGAIN;
}

void journald_handler::take_front() noexcept {
  failed_attempts_ = 0;
  waiting_->bytes -= waiting_->entries.front().text.size();
  waiting_->entries.pop_front();
}

void journald_handler::send_waiting() {
  if (std::chrono::steady_clock::now() < retry_at_) return;
  if (!waiting_->entries.empty() && !socket_.verify()) // another one is opened at once
    unreported_closing_ = !std::exchange(closing_reported_, true) || unreported_closing_;
  std::size_t sent_bytes = 0;
  for (int sends = 0; !waiting_->entries.empty(); ++sends) {
    if (sends == sends_at_once || sent_bytes > bytes_at_once) return; // the rest in the next round
    const int error = socket_.send(waiting_->entries.front().text);
    if (error == 0) {
      sent_bytes += waiting_->entries.front().text.size();
      take_front();
      continue;
    }
    if (is_busy(error)) return;
    if (!std::exchange(reported_, true)) unreported_error_ = error;
    if (socket_.reached() && ++failed_attempts_ == attempts_an_entry) {
      report_dropped(waiting_->entries.front().is_record ? 1 : 0);
      take_front();
      continue;
    }
    if (!socket_.reached()) socket_.close();
    retry_at_ = std::chrono::steady_clock::now() + retry_interval;
    return;
  }
  reported_ = refusal_reported_ = closing_reported_ = false;
}

void journald_handler::flush() {
  send_waiting();
  throw_unreported();
}

void journald_handler::throw_unreported() {
  const int error = std::exchange(unreported_error_, 0);
  const bool closing = std::exchange(unreported_closing_, false);
  if (error == 0 && !closing) return;
  throw std::system_error(error != 0 ? error : EBADF, std::generic_category(),
                          "journald " + path_ + (closing ? ": other code has closed its socket" : "") +
                              (error != 0 ? ": cannot send" : ", a new one is opened"));
}

void journald_handler::last_flush(std::chrono::steady_clock::time_point until) {
  const auto end = std::min(until, std::chrono::steady_clock::now() + finish_limit);
  retry_at_ = {}; // one attempt more, whatever the pause
  send_waiting();
  while (!waiting_->entries.empty() && retry_at_ == std::chrono::steady_clock::time_point{} &&
         std::chrono::steady_clock::now() < end) { // only slow
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    send_waiting();
  }
  lose_waiting();
  throw_unreported();
}

void journald_handler::reopen() {
  socket_.close();
  retry_at_ = {};
}

/// In a child: the parent's flusher may have been in the middle of a change: the copy is not touched again,
/// not even to free it.
void journald_handler::abandon_copy() {
  static auto* const abandoned = new std::vector<spool*>; // reachable, and never looked at
  abandoned->push_back(waiting_.release());
}

void journald_handler::after_fork() {
  abandon_copy();
  waiting_ = std::make_unique<spool>();
  socket_.close();
  owner_process_ = ::getpid();
  retry_at_ = {};
  reported_ = refusal_reported_ = closing_reported_ = unreported_closing_ = false;
  unreported_error_ = failed_attempts_ = 0;
}

} // namespace detail

handler_ptr make_journald_handler(const journald_options& options) {
  return std::make_shared<detail::journald_handler>(options);
}

} // namespace faultline
