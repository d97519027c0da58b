// What a record tells about an exception.
#pragma once

#include <cstddef>

#include <faultline/detail/codec.hpp>
#include <faultline/export.hpp>

namespace faultline::detail {

/// The exception being handled on this thread and those nested in it: type, zero byte, what(), zero byte,
/// each. Empty where none is being handled, and where a thread's own end unwinds the stack. Throws the
/// exception once more to look at it, and so takes microseconds.
class FAULTLINE_API exception_story {
 public:
  [[gnu::cold]] exception_story() noexcept;
  [[nodiscard]] exception_text wire() const noexcept { return {{text_, cut_ ? size_ | cut_before : size_}}; }

 private:
  void put(const char* s) noexcept;

  char text_[scratch_bytes];
  std::size_t size_ = 0;
  bool cut_ = false;
};

} // namespace faultline::detail
