// How many scopes of each kind have ended well on a thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace faultline::detail {

/// For scope_options::sample_every. A slot's counts go on with its next thread. Kinds beyond the first 31
/// share a count.
class sample_counts {
 public:
  /// Counts a success; true when it is to be written, which then holds for the next as well until `written`.
  /// A kind is not 0.
  [[nodiscard]] bool is_due(std::uint64_t kind, std::uint64_t every) noexcept {
    return ++of(kind).successes >= every;
  }
  void written(std::uint64_t kind) noexcept { of(kind).successes = 0; }

 private:
  struct count {
    std::uint64_t kind = 0;
    std::uint64_t successes = 0;
  };
  [[nodiscard]] count& of(std::uint64_t kind) noexcept {
    std::size_t i = 0;
    while (i + 1 < counts_.size() && counts_[i].kind != kind && counts_[i].kind != 0) ++i;
    counts_[i].kind = kind;
    return counts_[i];
  }

  std::array<count, 32> counts_;
};

} // namespace faultline::detail
