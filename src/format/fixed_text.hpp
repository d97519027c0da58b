// Text made beforehand that is written again and again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace faultline::detail {

/// Mostly a few bytes: those are copied together with what lies behind them, two moves without a branch for
/// the length. Any thread may read it.
class fixed_text {
 public:
  /// How many bytes `write` may touch beyond the text's end.
  static constexpr std::size_t margin = 32;

  fixed_text() = default;
  explicit fixed_text(std::string text) : text_(std::move(text)) {
    std::copy_n(text_.data(), std::min(text_.size(), margin), begin_.data());
  }

  [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }
  [[nodiscard]] std::string_view view() const noexcept { return text_; }

  /// Writes the text and returns its end. There is room for `size() + margin` bytes.
  [[nodiscard]] char* write(char* at) const noexcept {
    std::memcpy(at, begin_.data(), margin);
    if (text_.size() > margin) [[unlikely]]
      std::copy(text_.begin() + margin, text_.end(), at + margin);
    return at + text_.size();
  }

 private:
  std::string text_;
  std::array<char, margin> begin_{}; // the first of it
};

} // namespace faultline::detail
