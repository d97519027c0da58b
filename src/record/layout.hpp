// A record's bytes: descriptor and reader. The writer is faultline/detail/statement.hpp.
//
//   0        8        16    20
//   | word   | time   | lg  | arguments …                     | padding to 8 |
//
//   word   bits 0..5 level, one-hot · 6 set · 8..15 flags · 16..31 size in bytes · 32..63 site id
//   time   ticks of the runtime's clock
//   lg     bits 0..23 logger id · 24..31 one bit for each target of the thread's open scopes that has it
//   already
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <faultline/detail/codec.hpp>
#include <faultline/level.hpp>

namespace faultline::detail {

enum record_flag : std::uint8_t {
  record_passed = 1,      ///< the outbox accepted it, for whomever
  record_handed_over = 2, ///< it was in a hand-over: the threads' ledger has it
  record_lost = 4,        ///< the threads' ledger counts it as lost
  record_exact = 8,       ///< its time is a reading of the real clock made for it
};

inline constexpr std::uint32_t logger_id_mask = 0x00FF'FFFFU;
inline constexpr unsigned target_bit_shift = 24;
inline constexpr unsigned most_targets = 8;

/// Looks at one record in place. Its owner may also change the flags, the time and the target bits.
class record_reader {
 public:
  explicit record_reader(std::byte* at) noexcept : at_(at) { std::memcpy(&word_, at, sizeof word_); }

  [[nodiscard]] std::uint32_t site() const noexcept { return static_cast<std::uint32_t>(word_ >> 32); }
  [[nodiscard]] std::uint32_t bytes() const noexcept {
    return static_cast<std::uint32_t>(word_ >> 16) & 0xFFFFU;
  }
  [[nodiscard]] std::uint8_t flags() const noexcept { return static_cast<std::uint8_t>(word_ >> 8); }
  [[nodiscard]] level_mask level_bit() const noexcept {
    return static_cast<level_mask>(word_ & bits_from(level::trace));
  }
  [[nodiscard]] faultline::level level() const noexcept {
    return static_cast<faultline::level>(std::countr_zero(static_cast<unsigned>(level_bit() | 0x40U)));
  }
  [[nodiscard]] std::uint64_t time() const noexcept { return load<std::uint64_t>(8); }
  [[nodiscard]] std::uint32_t logger() const noexcept { return load<std::uint32_t>(16) & logger_id_mask; }
  [[nodiscard]] std::uint8_t targets() const noexcept {
    return static_cast<std::uint8_t>(load<std::uint32_t>(16) >> target_bit_shift);
  }
  [[nodiscard]] const std::byte* arguments() const noexcept { return at_ + header_bytes; }
  [[nodiscard]] std::byte* data() const noexcept { return at_; }

  void set_flags(std::uint8_t added) noexcept {
    word_ |= static_cast<std::uint64_t>(added) << 8;
    std::memcpy(at_, &word_, sizeof word_);
  }
  void set_time(std::uint64_t ticks) noexcept { std::memcpy(at_ + 8, &ticks, sizeof ticks); }
  void set_targets(std::uint8_t added) noexcept {
    const std::uint32_t changed = load<std::uint32_t>(16) | static_cast<std::uint32_t>(added)
                                                                << target_bit_shift;
    std::memcpy(at_ + 16, &changed, sizeof changed);
  }

 private:
  template <class T> [[nodiscard]] T load(std::size_t offset) const noexcept {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    return value;
  }

  std::byte* at_;
  std::uint64_t word_ = 0;
};

} // namespace faultline::detail
