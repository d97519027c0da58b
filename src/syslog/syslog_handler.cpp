#include "syslog/syslog_handler.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <faultline/configuration_error.hpp>

namespace faultline {
namespace detail {
namespace {

/// More than this is sent by `write` itself.
constexpr std::size_t write_bytes = 256U << 10;
/// Messages that one sendmsg takes.
constexpr std::size_t parts_at_once = 64;

std::chrono::nanoseconds monotonic_now() noexcept {
  ::timespec t{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

std::chrono::nanoseconds checked_time(std::string_view option, std::chrono::milliseconds time) {
  if (time < std::chrono::milliseconds(1) || time > std::chrono::hours(24))
    throw configuration_error(option, std::to_string(time.count()) + " ms", "1 ms to 24 hours");
  return time;
}

std::size_t checked_spool(std::size_t bytes) {
  if (bytes == 0) throw configuration_error("spool_bytes", "0", "at least one byte is needed");
  return bytes;
}

/// The queue of a local server, or a buffer of the kernel, is full: the reader is only slower.
bool is_busy(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == EINTR;
}

} // namespace

syslog_handler::syslog_handler(const syslog_options& options)
    : envelope_(options.envelope), spool_bytes_(checked_spool(options.spool_bytes)),
      connect_timeout_(checked_time("connect_timeout", options.connect_timeout)),
      max_retry_interval_(checked_time("max_retry_interval", options.max_retry_interval)), encoder_(options),
      link_(options), owner_process_(::getpid()), most_datagram_bytes_(encoder_.max_message_bytes()) {
  (void)checked_time("send_timeout", options.send_timeout);
  set_formatter(make_text_formatter("{message}", {.envelope = false}));
}

syslog_handler::~syslog_handler() {
  // A child that exits without having logged destroys copies of the parent's handlers.
  if (::getpid() != owner_process_) {
    abandon_copies();
    return;
  }
  try {
    if (!queue_->all_sent()) advance();
  } catch (...) { // memory is short: what is left is counted below
  }
  lose_waiting();
}

void syslog_handler::lose_waiting() noexcept {
  report_dropped(queue_->waiting_records());
  if (!queue_->all_sent()) link_.close(); // the next message is not to begin in the middle of one
  queue_->clear();
  unverified_ = false;
}

void syslog_handler::last_flush(std::chrono::steady_clock::time_point until) {
  using clock = std::chrono::steady_clock;
  const auto end = std::min(until, clock::now() + finish_limit);
  retry_at_ = {}; // one attempt more, whatever the pause
  while (!queue_->all_sent() || unverified_) {
    advance();
    if (link_.current() == syslog_link::state::closed || clock::now() >= end) break;
    if (!queue_->all_sent() || unverified_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (unverified_ && link_.current() == syslog_link::state::open && has_own_socket())
    (void)look_at_link(monotonic_now());
  if (unverified_) { // it may have arrived, or not
    queue_->forget_sent_before(monotonic_now() - link_.silence() - keep_interval);
    queue_->rewind();
  }
  lose_waiting();
  throw_unreported();
}

void syslog_handler::write(const batch& records) {
  if (records.empty()) return;
  // A full queue refuses before the work of formatting.
  if (queue_->waiting_bytes() >= spool_bytes_) advance();
  if (queue_->waiting_bytes() >= spool_bytes_) return refuse(records, false);
  std::vector<message_queue::entry> entries;
  entries.reserve(records.size() + 1);
  std::size_t bytes = 0;
  if (const dump_envelope* dump = records.envelope(); dump != nullptr && envelope_) {
    const auto gravest =
        std::max_element(records.begin(), records.end(),
                         [](const record_view& a, const record_view& b) { return a.level < b.level; });
    add(entries, bytes, encoder_.encode(*dump, gravest->level), false);
  }
  for (const record_view& r : records) {
    text_->clear();
    current_formatter().format(batch({&r, 1}), *text_);
    if (text_->ends_with('\n')) text_->pop_back();
    add(entries, bytes, encoder_.encode(r, *text_), true);
  }
  if (!queue_->all_sent() && queue_->waiting_bytes() + bytes > spool_bytes_) advance();
  if (!queue_->all_sent() && queue_->waiting_bytes() + bytes > spool_bytes_) return refuse(records, true);
  queue_->add(std::move(entries), bytes);
  if (queue_->waiting_bytes() > write_bytes) advance();
}

/// Messages that were not made have their numbers all the same: the receiver sees the gap.
void syslog_handler::refuse(const batch& records, bool has_numbers) {
  if (!has_numbers) encoder_.skip(records.size() + (envelope_ && records.envelope() != nullptr ? 1 : 0));
  report_lost(records.size());
  if (reported_ || std::exchange(refusal_reported_, true)) return; // for a failing link, that says it
  unreported_error_ = EAGAIN;
}

void syslog_handler::throw_unreported() {
  const int error = std::exchange(unreported_error_, 0);
  const bool closing = std::exchange(unreported_closing_, false);
  if (error == 0 && !closing) return;
  throw std::system_error(error != 0 ? error : EBADF, std::generic_category(),
                          "syslog " + link_.name() + (closing ? ": other code has closed its socket" : "") +
                              (error != 0 ? ": cannot send" : ", a new one is opened"));
}

void syslog_handler::add(std::vector<message_queue::entry>& entries, std::size_t& bytes,
                         syslog_message&& message, bool is_record) const {
  if (link_.is_stream()) add_octet_count(message);
  bytes += message.text.size();
  entries.push_back({std::move(message), is_record, {}});
}

void syslog_handler::flush() {
  if (!queue_->all_sent() || unverified_) advance();
  throw_unreported();
}

void syslog_handler::reopen() {
  link_.close();
  queue_->rewind();
  pause_ = retry_at_ = {};
}

/// In a child: the parent's flusher may have been in the middle of a change: the copies are not touched
/// again, not even to free them.
void syslog_handler::abandon_copies() {
  struct copies {
    message_queue* queue;
    std::string* text;
  };
  static auto* const abandoned = new std::vector<copies>; // reachable, and never looked at
  abandoned->push_back({queue_.release(), text_.release()});
}

void syslog_handler::after_fork() {
  abandon_copies();
  // Closing the child's descriptor does not end the parent's connection.
  queue_ = std::make_unique<message_queue>();
  text_ = std::make_unique<std::string>();
  link_.close();
  encoder_.after_fork();
  owner_process_ = ::getpid();
  pause_ = retry_at_ = {};
  unverified_ = reported_ = refusal_reported_ = closing_reported_ = unreported_closing_ = false;
  unreported_error_ = 0;
}

/// Whether the link is open now; begins an attempt when it is time to.
bool syslog_handler::connect(std::chrono::nanoseconds now) {
  if (link_.current() == syslog_link::state::open) return true;
  if (link_.current() == syslog_link::state::closed) {
    if (now < retry_at_) return false;
    began_at_ = now;
    most_datagram_bytes_ = encoder_.max_message_bytes();
    if (const int error = link_.begin(); error != 0) {
      fail(error, now);
      return false;
    }
  }
  const int error = link_.poll_connect();
  if (error == 0) return true;
  if (error != EINPROGRESS)
    fail(error, now);
  else if (now - began_at_ > connect_timeout_)
    fail(ETIMEDOUT, now);
  return false;
}

/// A socket that other code has closed is replaced at once, since no server is to blame. What was sent lately
/// waits again: how much of it was acknowledged cannot be asked any more.
bool syslog_handler::has_own_socket() noexcept {
  if (link_.verify()) return true;
  queue_->rewind();
  unverified_ = false;
  unreported_closing_ = !std::exchange(closing_reported_, true) || unreported_closing_;
  return false;
}

void syslog_handler::advance() {
  const std::chrono::nanoseconds now = monotonic_now();
  (void)has_own_socket();
  if (connect(now) && look_at_link(now)) send_waiting(now);
}

/// Whether the link is open still, or again.
bool syslog_handler::look_at_link(std::chrono::nanoseconds now) {
  if (const int error = link_.check(); error != 0) {
    // What was sent well before the peer was last heard of had its time: it is not sent again.
    queue_->forget_sent_before(now - link_.silence() - keep_interval);
    fail(error, now);
    if (!connect(now)) return false; // at once, where the link had worked: a server that was started anew
  }
  unverified_ = link_.has_unacknowledged();
  if (!unverified_) queue_->forget_sent_before(now - keep_interval);
  if (!unverified_ && queue_->all_sent())
    reported_ = refusal_reported_ = closing_reported_ = false; // a look after the last send found it good
  return true;
}

void syslog_handler::send_waiting(std::chrono::nanoseconds now) {
  std::array<::iovec, parts_at_once> parts;
  for (int sends = 0; !queue_->all_sent() && sends < sends_at_once; ++sends) {
    if (!link_.is_stream() && queue_->front().size() > most_datagram_bytes_ &&
        !queue_->cut_front(most_datagram_bytes_)) {
      report_dropped(queue_->drop_front() ? 1 : 0);
      continue;
    }
    const std::size_t count = queue_->gather(std::span(parts).first(link_.is_stream() ? parts.size() : 1));
    const ::ssize_t taken = link_.send(std::span(parts).first(count));
    if (taken >= 0) {
      unverified_ = true;
      queue_->consume(static_cast<std::size_t>(taken), now);
      queue_->forget_beyond(kept_bytes);
      continue;
    }
    const int error = errno;
    if (is_busy(error)) return;
    if (error == EMSGSIZE && !link_.is_stream()) {
      most_datagram_bytes_ = queue_->front().size() / 2;
      continue;
    }
    return fail(error, now);
  }
}

/// The link is closed, what was sent lately waits again, and the next attempt has its time. A link that had
/// worked for a while is tried again at once; the pause grows for one that breaks as soon as it is open.
void syslog_handler::fail(int error, std::chrono::nanoseconds now) {
  const bool had_worked =
      link_.has_answered() && link_.current() == syslog_link::state::open && now - began_at_ > keep_interval;
  link_.close();
  queue_->rewind();
  unverified_ = false;
  pause_ = had_worked ? std::chrono::nanoseconds{}
                      : std::clamp<std::chrono::nanoseconds>(
                            2 * pause_,
                            std::min<std::chrono::nanoseconds>(first_retry_interval, max_retry_interval_),
                            max_retry_interval_);
  retry_at_ = now + pause_;
  if (had_worked || reported_) return;
  unreported_error_ = error;
  reported_ = true;
}

} // namespace detail

handler_ptr make_syslog_handler(const syslog_options& options) {
  return std::make_shared<detail::syslog_handler>(options);
}

} // namespace faultline
