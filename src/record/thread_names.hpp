// Names of threads: name id → text.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace faultline::detail {

/// Append-only and lock-free, as the dictionary: a name keeps its id to the end of the process, since records
/// on their way carry it. An open-addressed table whose cells are filled by compare-and-swap.
class thread_names {
 public:
  static constexpr std::size_t most_names = 8191;
  static constexpr std::size_t longest_name = 63; ///< bytes; what is longer is cut between characters

  /// One for the process, never destroyed.
  static thread_names& instance();

  thread_names() = default;
  thread_names(const thread_names&) = delete;
  thread_names& operator=(const thread_names&) = delete;
  ~thread_names();

  /// The name's id, entering it if need be; 0 for an empty name, and where there is no room or no memory. Any
  /// thread; allocates.
  [[nodiscard]] std::uint32_t enter(std::string_view name) noexcept;

  /// Empty for 0. Any thread that received the id.
  [[nodiscard]] std::string_view find(std::uint32_t id) const noexcept;

 private:
  std::array<std::atomic<const std::string*>, most_names + 1>
      cells_{}; // release by `enter`, acquire by readers
};

} // namespace faultline::detail
