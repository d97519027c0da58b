// How much a stress test does: its share of the full figure here, all of it where FAULTLINE_STRESS_SCALE
// asks.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace faultline::stress {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

/// `n`, times FAULTLINE_STRESS_SCALE of the environment, a tenth of it under sanitizers; at least 1.
inline std::size_t scaled(std::size_t n) {
  const char* text = std::getenv("FAULTLINE_STRESS_SCALE");
  const std::size_t scale = text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
  const std::size_t product = n * (scale > 0 ? scale : 1) / (sanitized ? 10 : 1);
  return product > 0 ? product : 1;
}

} // namespace faultline::stress
