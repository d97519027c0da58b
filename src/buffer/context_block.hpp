// What a scope carries, as bytes that can be copied.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/whole_characters.hpp"

namespace faultline::detail {

/// A scope's name, trace ids and fields, in its slot, in hand-overs and in the outbox. Only the used part is
/// copied.
///
///   bytes_: name | field, field …     field: key size, code size, value size (a byte each), key, code, value
class context_block {
 public:
  static constexpr std::size_t longest_name = 63;
  static constexpr std::size_t field_space = 200;
  static_assert(field_space <= 255, "a byte for each size");

  void reset(std::string_view name) noexcept {
    traced_ = false;
    cut_ = name.size() > longest_name;
    if (cut_) [[unlikely]]
      name = whole_characters(name, longest_name);
    name_size_ = static_cast<std::uint8_t>(name.size());
    used_ = name_size_;
    if (name_size_ > 0) std::memcpy(bytes_.data(), name.data(), name_size_);
  }

  void set_trace(const std::array<std::uint8_t, 16>& trace,
                 const std::array<std::uint8_t, 8>& span) noexcept {
    trace_ = trace;
    span_ = span;
    traced_ = true;
  }

  /// Fields are whole or absent: one that does not fit marks the block as cut.
  void add_field(std::string_view key, std::string_view code, const std::byte* value,
                 std::size_t bytes) noexcept {
    const std::size_t needed = 3 + key.size() + code.size() + bytes;
    if (needed > name_size_ + field_space - used_) {
      cut_ = true;
      return;
    }
    char* at = bytes_.data() + used_;
    *at++ = static_cast<char>(key.size());
    *at++ = static_cast<char>(code.size());
    *at++ = static_cast<char>(bytes);
    if (!key.empty()) std::memcpy(at, key.data(), key.size());
    std::memcpy(at + key.size(), code.data(), code.size());
    std::memcpy(at + key.size() + code.size(), value, bytes);
    used_ = static_cast<std::uint16_t>(used_ + needed);
  }

  [[nodiscard]] bool empty() const noexcept { return used_ == 0 && !traced_; }
  [[nodiscard]] bool cut() const noexcept { return cut_; }
  [[nodiscard]] bool traced() const noexcept { return traced_; }
  [[nodiscard]] const std::array<std::uint8_t, 16>& trace() const noexcept { return trace_; }
  [[nodiscard]] const std::array<std::uint8_t, 8>& span() const noexcept { return span_; }
  [[nodiscard]] std::string_view name() const noexcept { return {bytes_.data(), name_size_}; }
  /// The encoded fields.
  [[nodiscard]] std::string_view fields() const noexcept {
    return {bytes_.data() + name_size_, static_cast<std::size_t>(used_ - name_size_)};
  }

  /// How many bytes of this object have a meaning.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return offsetof_bytes() + used_; }
  void copy_to(void* destination) const noexcept {
    std::memcpy(destination, this, offsetof_bytes()); // of a size known here: no call
    if (used_ > 0) std::memcpy(static_cast<char*>(destination) + offsetof_bytes(), bytes_.data(), used_);
  }

 private:
  [[nodiscard]] static constexpr std::size_t offsetof_bytes() noexcept {
    return sizeof(context_block) - sizeof bytes_;
  }

  std::array<std::uint8_t, 16> trace_;
  std::array<std::uint8_t, 8> span_;
  bool traced_;
  bool cut_;
  std::uint8_t name_size_;
  std::uint16_t used_;
  std::array<char, longest_name + field_space + 3> bytes_;
};

} // namespace faultline::detail
