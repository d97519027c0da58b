#include "record/thread_names.hpp"

#include <functional>
#include <memory>
#include <new>

#include "base/test_point.hpp"
#include "base/whole_characters.hpp"

namespace faultline::detail {

thread_names& thread_names::instance() {
  static thread_names& it = *new thread_names;
  return it;
}

thread_names::~thread_names() {
  for (const auto& cell : cells_) delete cell.load(std::memory_order_relaxed);
}

std::uint32_t thread_names::enter(std::string_view name) noexcept try {
  name = whole_characters(name, longest_name);
  if (name.empty()) return 0;
  std::unique_ptr<const std::string> made;
  const std::size_t first = std::hash<std::string_view>{}(name) % most_names;
  for (std::size_t n = 0; n < most_names; ++n) {
    const std::size_t id = (first + n) % most_names + 1; // 0 is no name's
    const std::string* there = cells_[id].load(std::memory_order_acquire);
    if (there == nullptr) {
      if (!made) made = std::make_unique<const std::string>(name);
      test_point(race_point::name_missed);
      if (is_planted(planted_fault::name_is_stored)) delete cells_[id].exchange(nullptr);
      // Release publishes the text; acquire, for the loser, the winner's.
      if (cells_[id].compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) {
        (void)made.release();
        return static_cast<std::uint32_t>(id);
      }
    }
    if (*there == name) return static_cast<std::uint32_t>(id);
  }
  return 0;
} catch (const std::bad_alloc&) {
  return 0;
}

std::string_view thread_names::find(std::uint32_t id) const noexcept {
  const std::string* name = id <= most_names ? cells_[id].load(std::memory_order_acquire) : nullptr;
  return name != nullptr ? std::string_view(*name) : std::string_view();
}

} // namespace faultline::detail
