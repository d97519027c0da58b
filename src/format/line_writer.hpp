// Assembles lines in a small buffer on the stack and appends them to a string by the kilobyte: a field costs
// a few stores instead of a call into std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "format/escape.hpp"
#include "format/fixed_text.hpp"

namespace faultline::detail {

class line_writer {
 public:
  explicit line_writer(std::string& out) noexcept : out_(out), next_(buffer_) {}
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  void append(char c) {
    if (room() == 0) spill();
    *next_++ = c;
  }

  /// Appends `text` as it is.
  void append(std::string_view text) {
    if (text.size() > room() || text.size() > largest_inline) return append_large(text);
    copy_small(next_, text);
    next_ += text.size();
  }

  void append(const fixed_text& text) {
    if (text.size() + fixed_text::margin > room()) return append_large(text.view());
    next_ = text.write(next_);
  }

  /// Appends `text` escaped (see append_escaped).
  void append_escaped(std::string_view text) {
    if (text.size() > room() || !copy_plain(next_, text)) return append_escaped_slowly(text);
    next_ += text.size();
  }

  /// Where so many bytes of a line may be written at once, which `end_line` then takes; null where there is
  /// no such room. What was written before may go to the string.
  [[nodiscard]] char* begin_line(std::size_t most) {
    if (most > room()) {
      if (most > buffer_bytes) return nullptr;
      spill();
    }
    return next_;
  }
  void end_line(char* end) noexcept { next_ = end; }

  /// Writes `text` and returns its end.
  [[nodiscard]] static char* write(char* to, std::string_view text) noexcept {
    copy_small(to, text);
    return to + text.size();
  }

  void append_repeated(char c, std::size_t count) {
    while (count-- > 0) append(c);
  }

  /// Moves what is buffered to the string and returns it, for what is easier to append there. Must be called
  /// at the end too; a destructor could not report that memory is short.
  std::string& spill() {
    out_.append(buffer_, static_cast<std::size_t>(next_ - buffer_));
    next_ = buffer_;
    return out_;
  }

 private:
  static constexpr std::size_t largest_inline = 256; // beyond it the copy outweighs everything else
  static constexpr std::size_t buffer_bytes = 4096;  // a page: stays in the first-level cache

  [[nodiscard]] std::size_t room() const noexcept {
    return static_cast<std::size_t>(buffer_ + buffer_bytes - next_);
  }

  /// Copies words that may overlap: quicker than a call of memcpy for the few bytes of a field.
  [[gnu::always_inline]] static void copy_small(char* to, std::string_view text) noexcept {
    const char* from = text.data();
    const std::size_t size = text.size();
    if (size >= 16) {
      for (std::size_t at = 0; at + 16 < size; at += 16) std::memcpy(to + at, from + at, 16);
      std::memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
      std::memcpy(to, from, 8);
      std::memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
      std::memcpy(to, from, 4);
      std::memcpy(to + size - 4, from + size - 4, 4);
    } else if (size > 0) { // one to three bytes: the first, the middle and the last may be the same
      to[0] = from[0];
      to[size / 2] = from[size / 2];
      to[size - 1] = from[size - 1];
    }
  }

  /// Copies `text` to `to` while looking at it; false where it is not all printable ASCII, and then what lies
  /// at `to` means nothing. Precondition: there is room.
  [[nodiscard]] static bool copy_plain(char* to, std::string_view text) noexcept {
    const char* from = text.data();
    const std::size_t size = text.size();
    if (size < 8) {
      for (std::size_t at = 0; at < size; ++at) {
        if (from[at] < ' ' || from[at] > '~') return false; // a negative char, too, is below the space
        to[at] = from[at];
      }
      return true;
    }
    std::size_t at = 0;
    for (; at + 16 <= size; at += 16)
      if (!copy_plain_word(to + at, from + at) || !copy_plain_word(to + at + 8, from + at + 8)) return false;
    if (at + 8 < size && !copy_plain_word(to + at, from + at)) return false;
    return copy_plain_word(to + size - 8, from + size - 8); // may overlap what came before
  }

  [[nodiscard]] static bool copy_plain_word(char* to, const char* from) noexcept {
    const std::uint64_t word = load_word(from);
    std::memcpy(to, &word, sizeof word);
    return is_plain_word(word);
  }

  void append_large(std::string_view text) { spill().append(text); }

  /// Text that is long, or not ASCII, or hostile.
  void append_escaped_slowly(std::string_view text) { detail::append_escaped(text, spill()); }

  std::string& out_;
  char buffer_[buffer_bytes]; // not initialised: that would cost more than a line
  char* next_;
};

} // namespace faultline::detail
