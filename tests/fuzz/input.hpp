// An input taken apart.
//
//   | text | FF | text | FF | …                        … | number | number |
//     texts are taken from the front                     numbers from the end
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace faultline::fuzz {

/// Texts first, so that an input can be read and written by hand. Whatever is taken beyond the end is zero or
/// empty.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) noexcept
      : rest_(size != 0 ? reinterpret_cast<const char*>(data) : "", size) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  template <class T> T number() noexcept {
    std::array<char, sizeof(T)> bytes{};
    const std::size_t size = std::min(bytes.size(), rest_.size());
    std::copy(rest_.end() - static_cast<std::ptrdiff_t>(size), rest_.end(), bytes.begin());
    rest_.remove_suffix(size);
    return std::bit_cast<T>(bytes);
  }
  /// A number below `count`, of one byte.
  std::size_t pick(std::size_t count) noexcept { return number<std::uint8_t>() % count; }
  bool flag() noexcept { return pick(2) != 0; }

  /// Up to the next byte FF, or all that is left.
  std::string text() {
    const std::size_t end = std::min(rest_.find('\xFF'), rest_.size());
    std::string taken(rest_.substr(0, end));
    rest_.remove_prefix(std::min(rest_.size(), end + 1));
    return taken;
  }
  /// All that is left, FF among it.
  std::string rest() {
    std::string taken(rest_);
    rest_ = {};
    return taken;
  }

 private:
  std::string_view rest_;
};

/// A copy that ends where its memory does, which a sanitizer watches.
template <class Byte> class exact_copy {
 public:
  exact_copy(const Byte* data, std::size_t size) : bytes_(data, data + size) {}
  [[nodiscard]] const Byte* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

 private:
  std::vector<Byte> bytes_;
};

} // namespace faultline::fuzz
