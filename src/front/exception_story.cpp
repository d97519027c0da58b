#include <cstring>
#include <exception>
#include <typeinfo>

#include <cxxabi.h>

#include <faultline/detail/story.hpp>

namespace faultline::detail {
namespace {

const char* current_type() noexcept {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  return type != nullptr ? type->name() : "unknown";
}

/// Calls `tell(type, what)` for the exception being handled and for each nested in it, from the outermost in.
template <class Tell> void tell_current(const Tell& tell, int depth) noexcept {
  constexpr int deepest = 8;
  try {
    throw;
  } catch (const std::exception& e) {
    tell(typeid(e).name(), e.what());
    const auto* nested = dynamic_cast<const std::nested_exception*>(&e);
    if (nested == nullptr || nested->nested_ptr() == nullptr || depth == deepest) return;
    try {
      nested->rethrow_nested();
    } catch (...) {
      tell_current(tell, depth + 1);
    }
  } catch (...) {
    tell(current_type(), "");
  }
}

} // namespace

exception_story::exception_story() noexcept {
  if (abi::__cxa_current_exception_type() == nullptr) return;
  const auto tell = [this](const char* type, const char* what) {
    put(type);
    put(what);
  };
  tell_current(tell, 0);
}

void exception_story::put(const char* s) noexcept {
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

} // namespace faultline::detail
