// From raw records to the views that handlers see.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <faultline/record.hpp>

#include "base/clock.hpp"
#include "base/thread_identity.hpp"
#include "buffer/context_block.hpp"
#include "flusher/ledger.hpp"
#include "format/message_plan.hpp"
#include "front/registry.hpp"
#include "record/layout.hpp"
#include "record/thread_names.hpp"

namespace faultline::detail {

/// Text that stays where it is until `clear`.
class text_arena {
 public:
  std::string_view keep(std::string_view s);
  /// Room for so many bytes, of which `commit` keeps the first.
  char* reserve(std::size_t bytes) {
    return bytes <= static_cast<std::size_t>(end_ - next_) ? next_ : reserve_elsewhere(bytes);
  }
  std::string_view commit(const char* at, char* end) noexcept {
    if (at == next_) next_ = end;
    return {at, static_cast<std::size_t>(end - at)};
  }
  void clear() noexcept;

 private:
  char* reserve_elsewhere(std::size_t bytes);

  static constexpr std::size_t block_bytes = std::size_t{64} << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::unique_ptr<char[]>> large_;
  std::size_t block_ = 0;
  char* next_ = nullptr; // in the block at hand
  char* end_ = nullptr;
};

/// Flusher thread only. Its views are good until `clear`, and as long as the records' memory.
class view_builder {
 public:
  view_builder(clock_source clock, ledger& counts) : clock_(clock), counts_(counts) {}

  /// Formats the record's message and fills in all of `view`. `logger` is the record's, or null where it is
  /// not known. Returns whether an argument had been cut.
  bool build(const record_reader& record, const node* logger, thread_identity thread,
             const scope_context* scope, std::uint64_t dump_id, record_view& view);
  [[nodiscard]] const scope_context* build(const context_block& block);
  [[nodiscard]] std::string_view keep(std::string_view s) { return arena_.keep(s); }

  [[nodiscard]] tick_converter& clock() noexcept { return clock_; }
  void clear() noexcept;

 private:
  struct context_memory {
    scope_context view;
    std::vector<context_field> fields;
  };
  struct known_site {
    std::unique_ptr<message_plan> plan;
    const site_facts* facts = nullptr;
    std::string_view types;
  };
  const known_site& site_of(std::uint32_t id) {
    return id < sites_.size() && sites_[id].plan ? sites_[id] : make_site(id);
  }
  const known_site& make_site(std::uint32_t id);
  std::string_view name_of(thread_identity thread) {
    if (thread.name != latest_name_id_) {
      latest_name_id_ = thread.name;
      latest_name_ = thread_names::instance().find(thread.name);
    }
    return latest_name_;
  }
  std::string_view message_of(const message_plan& plan, const std::byte* data, std::size_t bytes,
                              message_outcome& outcome);
  std::span<const named_argument> arguments_of(const message_plan& plan, const std::byte* data,
                                               std::size_t bytes);

  std::uint32_t latest_name_id_ = 0;
  std::string_view latest_name_; // its text
  tick_converter clock_;
  ledger& counts_;
  text_arena arena_;
  fmt::memory_buffer scratch_;
  std::deque<context_memory> contexts_;
  std::size_t contexts_used_ = 0;
  std::deque<std::vector<named_argument>> arguments_; // one for each record that has such
  std::size_t arguments_used_ = 0;
  std::vector<known_site> sites_; // by id
};

} // namespace faultline::detail
