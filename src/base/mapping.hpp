// Anonymous memory, straight from the kernel.
#pragma once

#include <cstddef>
#include <utility>

namespace faultline::detail {

inline constexpr std::size_t page_bytes = 4096;

/// A private mapping, zeroed, pages taken as they are touched.
class mapping {
 public:
  mapping() noexcept = default;
  /// Throws std::bad_alloc when the kernel refuses.
  explicit mapping(std::size_t bytes);
  mapping(mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  mapping& operator=(mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~mapping();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

  /// A forked child finds these pages zeroed (MADV_WIPEONFORK, Linux 4.14), after `_Fork` as well. False
  /// where the kernel cannot do it.
  bool wipe_on_fork(std::size_t offset, std::size_t bytes) noexcept;

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

} // namespace faultline::detail
