#include "syslog/message_queue.hpp"

#include <algorithm>
#include <utility>

namespace faultline::detail {

void message_queue::add(std::vector<entry>&& entries, std::size_t bytes) {
  const std::size_t before = entries_.size();
  try {
    for (entry& e : entries) entries_.push_back(std::move(e));
  } catch (...) { // memory is short: a batch waits whole or not at all
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(before), entries_.end());
    throw;
  }
  waiting_bytes_ += bytes;
}

std::size_t message_queue::gather(std::span<::iovec> parts) const noexcept {
  const std::size_t count = std::min(parts.size(), entries_.size() - next_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& text = entries_[next_ + i].message.text;
    const std::size_t skip = i == 0 ? offset_ : 0;
    parts[i] = {const_cast<char*>(text.data()) + skip, text.size() - skip}; // sendmsg only reads it
  }
  return count;
}

void message_queue::consume(std::size_t bytes, std::chrono::nanoseconds now) {
  offset_ += bytes;
  while (!all_sent() && offset_ >= entries_[next_].message.text.size()) {
    entry& e = entries_[next_];
    const std::size_t size = e.message.text.size();
    offset_ -= size;
    e.sent_at = now;
    waiting_bytes_ -= size;
    kept_bytes_ += size;
    ++next_;
  }
}

bool message_queue::cut_front(std::size_t most) {
  syslog_message& message = entries_[next_].message;
  const std::size_t before = message.text.size();
  if (!cut_message(message, most)) return false;
  waiting_bytes_ -= before - message.text.size();
  return true;
}

bool message_queue::drop_front() {
  const auto at = entries_.begin() + static_cast<std::ptrdiff_t>(next_);
  const bool is_record = at->is_record;
  waiting_bytes_ -= at->message.text.size();
  entries_.erase(at);
  offset_ = 0;
  return is_record;
}

void message_queue::forget_oldest() {
  kept_bytes_ -= entries_.front().message.text.size();
  entries_.pop_front();
  --next_;
}

void message_queue::forget_sent_before(std::chrono::nanoseconds time) {
  while (next_ != 0 && entries_.front().sent_at < time) forget_oldest();
}

void message_queue::forget_beyond(std::size_t kept_bytes) {
  while (next_ != 0 && kept_bytes_ > kept_bytes) forget_oldest();
}

void message_queue::rewind() noexcept {
  waiting_bytes_ += kept_bytes_;
  kept_bytes_ = 0;
  next_ = 0;
  offset_ = 0;
}

std::size_t message_queue::waiting_records() const noexcept {
  return static_cast<std::size_t>(std::count_if(entries_.begin() + static_cast<std::ptrdiff_t>(next_),
                                                entries_.end(), [](const entry& e) { return e.is_record; }));
}

void message_queue::clear() noexcept {
  entries_.clear();
  next_ = offset_ = waiting_bytes_ = kept_bytes_ = 0;
}

} // namespace faultline::detail
