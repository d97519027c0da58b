#include <cstring>
#include <exception>
#include <string_view>
#include <typeinfo>

#include <cxxabi.h>

#include <faultline/detail/story.hpp>

#include "base/whole_characters.hpp"

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
  if (cut_) return; // what is behind a text that was cut is not told
  const std::size_t room = sizeof text_ - size_;
  std::string_view text(s, ::strnlen(s, room + 2)); // and the rest of a character at the bound
  if (text.size() >= room) {
    cut_ = true;
    if (room == 0) return;
    text = whole_characters(text, room - 1);
  }
  std::memcpy(text_ + size_, text.data(), text.size());
  text_[size_ + text.size()] = '\0';
  size_ += text.size() + 1;
}

} // namespace faultline::detail
