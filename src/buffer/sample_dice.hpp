// Which of a thread's successful scopes are written.
#pragma once

#include <cstdint>

namespace faultline::detail {

/// For scope_options::sample_every: one in so many on average, whatever the thread did before and whatever
/// other scopes it has. SplitMix64 (Steele, Lea and Flood, 2014), which takes any seed.
class sample_dice {
 public:
  void seed(std::uint64_t seed) noexcept { state_ = seed; }

  /// Throws the dice. `every` is not 0.
  [[nodiscard]] bool is_due(std::uint64_t every) noexcept {
    std::uint64_t mixed = state_ += 0x9E37'79B9'7F4A'7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EBU;
    return (mixed ^ (mixed >> 31U)) % every == 0;
  }

 private:
  std::uint64_t state_ = 0;
};

} // namespace faultline::detail
