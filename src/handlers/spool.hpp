// Text on its way to a descriptor, and how many records it stands for.
//
//   text_:   | written | rest of the front entry | entry | entry | being added |
//            0         head_                                     committed_    size
//
// An entry is what one `handler::write` was given. The front entry's text stays until all of it is written,
// so that the records it still owes can be counted by its line ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace faultline::detail {

/// Not synchronised: it belongs to one flusher thread.
class spool {
 public:
  /// Where the next entry's text is appended.
  [[nodiscard]] std::string& text() noexcept { return text_; }

  /// How much text `commit` would add.
  [[nodiscard]] std::size_t uncommitted_bytes() const noexcept { return text_.size() - committed_; }

  /// Ends an entry that stands for `records` records, of what was appended since the last one. An entry
  /// without text is written already and is not kept.
  void end_entry(std::size_t records);

  /// The entries that were ended are on their way.
  void commit() noexcept { committed_ = text_.size(); }

  /// Takes back what was appended since the last commit.
  void roll_back() noexcept;

  /// The committed text that is not written yet, in order.
  [[nodiscard]] std::string_view unwritten() const noexcept {
    return std::string_view(text_).substr(head_, committed_ - head_);
  }
  [[nodiscard]] bool empty() const noexcept { return head_ == committed_; }

  /// Notes that the first `count` bytes of `unwritten()` are written.
  void consume(std::size_t count) noexcept;

  /// True where nothing of the front entry is written: no line and no dump is cut here.
  [[nodiscard]] bool at_boundary() const noexcept { return empty() || head_ == front_begin(); }

  /// The unwritten bytes of the front entry; 0 when empty.
  [[nodiscard]] std::size_t front_bytes() const noexcept {
    return empty() ? 0 : entries_[front_].end - head_;
  }

  /// The unwritten bytes of as many whole entries as `limit` has room for, and of the front entry in any
  /// case; 0 when empty. Logarithmic in the number of entries.
  [[nodiscard]] std::size_t whole_entries(std::size_t limit) const noexcept;

  /// Drops what is left of the front entry; returns how many records were in it and not written whole.
  std::size_t drop_front() noexcept;

  /// Drops everything committed; returns how many records were in it and not written whole.
  std::size_t clear() noexcept;

 private:
  struct entry {
    std::size_t end; ///< offset in text_
    std::size_t records;
  };

  [[nodiscard]] std::size_t front_begin() const noexcept {
    return front_ == 0 ? 0 : entries_[front_ - 1].end;
  }
  [[nodiscard]] std::size_t records_owed() const noexcept;
  void forget_written() noexcept;

  std::string text_;
  std::size_t head_ = 0;
  std::size_t committed_ = 0;
  std::vector<entry> entries_;
  std::size_t front_ = 0; ///< index of the first entry that is not written whole
};

} // namespace faultline::detail
