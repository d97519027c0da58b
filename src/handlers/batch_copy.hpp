// A batch that outlives the call that brought it.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>

#include <faultline/record.hpp>

namespace faultline::detail {

/// Owns a copy of all that a batch's views refer to, and is viewed as the batch was. Sites, contexts and
/// loggers' names that near records share are copied once. Not synchronised; one thread at a time.
class batch_copy {
 public:
  /// Throws std::bad_alloc.
  explicit batch_copy(const batch& records);
  batch_copy(const batch_copy&) = delete;
  batch_copy& operator=(const batch_copy&) = delete;
  ~batch_copy() = default;

  /// Valid as long as the copy.
  [[nodiscard]] batch view() const noexcept { return batch(records_, envelope_ ? &*envelope_ : nullptr); }
  /// How many records there are.
  [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
  /// What the copy takes, this object included, and the allocator's slack not.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  template <class T> [[nodiscard]] std::span<T> keep(std::span<const T> objects);
  [[nodiscard]] std::string_view keep(std::string_view text);
  [[nodiscard]] scope_context keep(const scope_context& context);
  [[nodiscard]] site_facts keep(const site_facts& site);
  void keep_record(std::span<const record_view> source, std::size_t at);

  std::pmr::monotonic_buffer_resource memory_;
  std::size_t bytes_ = sizeof(batch_copy);
  std::span<record_view> records_;
  std::optional<dump_envelope> envelope_;
};

} // namespace faultline::detail
