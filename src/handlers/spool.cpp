#include "handlers/spool.hpp"

#include <algorithm>
#include <iterator>

namespace faultline::detail {
namespace {

/// Capacity beyond this is given back once the text that needed it is gone.
constexpr std::size_t kept_capacity = 1U << 20;

std::size_t count_lines(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

void spool::end_entry(std::size_t records) {
  const std::size_t begin = std::max(committed_, entries_.empty() ? 0 : entries_.back().end);
  if (text_.size() != begin) entries_.push_back({text_.size(), records});
}

void spool::roll_back() noexcept {
  text_.resize(committed_);
  while (!entries_.empty() && entries_.back().end > committed_) entries_.pop_back();
}

void spool::consume(std::size_t count) noexcept {
  head_ += count;
  while (front_ < entries_.size() && entries_[front_].end <= head_) ++front_;
  forget_written();
}

std::size_t spool::whole_entries(std::size_t limit) const noexcept {
  if (empty()) return 0;
  if (limit >= committed_ - head_) return committed_ - head_;
  const auto front = entries_.begin() + static_cast<std::ptrdiff_t>(front_);
  const auto beyond = std::upper_bound(front, entries_.end(), head_ + limit,
                                       [](std::size_t most, const entry& e) { return most < e.end; });
  return (beyond == front ? front->end : std::prev(beyond)->end) - head_;
}

/// Frees what lies before the front entry: at once where nothing is left, and otherwise when it outweighs
/// what would have to be moved, so that the cost of moving is constant for each byte.
void spool::forget_written() noexcept {
  if (empty() && committed_ == text_.size()) {
    text_.clear();
    if (text_.capacity() > kept_capacity) std::string().swap(text_);
    entries_.clear();
    head_ = committed_ = front_ = 0;
    return;
  }
  const std::size_t written = front_begin();
  if (written <= text_.size() / 2) return;
  text_.erase(0, written);
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(front_));
  for (entry& e : entries_) e.end -= written;
  head_ -= written;
  committed_ -= written;
  front_ = 0;
}

/// How many records of the front entry are not written whole. An entry has a line for each record and perhaps
/// as many lines before them as after them (a dump's envelope); an entry of another shape is counted by its
/// lines as well as that goes.
std::size_t spool::records_owed() const noexcept {
  const std::string_view text(text_);
  const entry& front = entries_[front_];
  const std::size_t begin = front_begin();
  if (head_ == begin) return front.records;
  const std::size_t lines = count_lines(text.substr(begin, front.end - begin));
  const std::size_t owed = count_lines(text.substr(head_, front.end - head_));
  const std::size_t after = lines > front.records ? (lines - front.records) / 2 : 0;
  return owed > after ? std::min(owed - after, front.records) : 0;
}

std::size_t spool::drop_front() noexcept {
  if (empty()) return 0;
  const std::size_t owed = records_owed();
  consume(front_bytes());
  return owed;
}

std::size_t spool::clear() noexcept {
  std::size_t owed = 0;
  while (!empty()) owed += drop_front();
  return owed;
}

} // namespace faultline::detail
