#include <faultline/ostream.hpp>

#include <algorithm>
#include <cstring>

#include <faultline/bridge.hpp>

#include "base/fork_guard.hpp"
#include "base/whole_characters.hpp"
#include "front/core.hpp"

namespace faultline::detail {

bool stream_lock::lock() noexcept {
  const auto free = static_cast<std::uint32_t>(2 * fork_guard::present_epoch());
  for (;;) {
    std::uint32_t seen = word_.load(std::memory_order_relaxed); // a guess, which the exchange checks
    if (seen == free + 1)
      word_.wait(seen, std::memory_order_relaxed);
    else if (word_.compare_exchange_weak(seen, free + 1, std::memory_order_acquire,
                                         std::memory_order_relaxed))
      return seen != free;
  }
}

void stream_lock::unlock() noexcept {
  word_.fetch_sub(1, std::memory_order_release);
  word_.notify_one();
}

stream_record::~stream_record() {
  append(node_.gate(level_), where_, level_at_run_time{bit_of(level_)}, text_.written());
}

void line_buffer::log_line(std::size_t size) noexcept {
  if (size > 0) log_text(logger_, level_, {line_, size});
  size_ -= size;
  std::memmove(line_, line_ + size, size_);
}

void line_buffer::take(std::string_view text) noexcept {
  // The flusher would wait for a thread that may wait for the flusher. What it prints is no record anyway:
  // each line is counted as that.
  if (this_thread_is_barred()) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      log_text(logger_, level_, text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    return;
  }
  if (lock_.lock()) size_ = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = std::min({end, text.size(), sizeof line_ - size_});
    std::memcpy(line_ + size_, text.data(), size);
    size_ += size;
    text.remove_prefix(size);
    const bool ends = text.starts_with('\n');
    if (ends) text.remove_prefix(1);
    if (ends)
      log_line(size_);
    else if (size_ == sizeof line_) // a character that it ends within is the next record's
      log_line(whole_characters({line_, size_}).size());
  }
  lock_.unlock();
}

line_buffer::int_type line_buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  take({&one, 1});
  return c;
}

std::streamsize line_buffer::xsputn(const char* s, std::streamsize n) {
  take({s, static_cast<std::size_t>(std::max<std::streamsize>(n, 0))});
  return n;
}

void line_buffer::finish() noexcept {
  if (this_thread_is_barred()) return;
  if (lock_.lock()) size_ = 0;
  log_line(size_);
  lock_.unlock();
}

} // namespace faultline::detail
