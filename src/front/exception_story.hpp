// An exception as an argument of a record.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <typeinfo>

#include <cxxabi.h>

#include <faultline/detail/encode.hpp>

namespace faultline::detail {

/// What `call failed` tells about the exception being handled and those nested in it: type, zero byte,
/// what(), zero byte, each.
class exception_story {
 public:
  exception_story() noexcept {
    const std::type_info* type = abi::__cxa_current_exception_type();
    try {
      throw;
    } catch (const std::exception& e) {
      tell(typeid(e).name(), e.what());
      tell_nested(e, 0);
    } catch (...) {
      tell(type != nullptr ? type->name() : "unknown", "");
    }
  }
  [[nodiscard]] exception_text wire() const noexcept { return {{text_, cut_ ? size_ | cut_before : size_}}; }

 private:
  void tell_nested(const std::exception& outer, int depth) noexcept {
    constexpr int deepest = 8;
    const auto* nested = dynamic_cast<const std::nested_exception*>(&outer);
    if (nested == nullptr || nested->nested_ptr() == nullptr || depth == deepest) return;
    try {
      nested->rethrow_nested();
    } catch (const std::exception& e) {
      tell(typeid(e).name(), e.what());
      tell_nested(e, depth + 1);
    } catch (...) {
      const std::type_info* type = abi::__cxa_current_exception_type();
      tell(type != nullptr ? type->name() : "unknown", "");
    }
  }

  void tell(const char* type, const char* what) noexcept {
    put(type);
    put(what);
  }
  void put(const char* s) noexcept {
    const std::size_t room = sizeof text_ - size_;
    std::size_t length = ::strnlen(s, room);
    if (length + 1 > room) {
      cut_ = true;
      length = room > 0 ? room - 1 : 0;
      if (room == 0) return;
    }
    std::memcpy(text_ + size_, s, length);
    text_[size_ + length] = '\0';
    size_ += length + 1;
  }

  char text_[scratch_bytes];
  std::size_t size_ = 0;
  bool cut_ = false;
};

} // namespace faultline::detail
