#include "flusher/view_builder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/compile.h>

#include "flusher/ledger.hpp"
#include "record/dictionary.hpp"

namespace faultline::detail {
namespace {

void count(std::atomic<std::uint64_t>& c) noexcept {
  c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::string_view text_of(const fmt::memory_buffer& b) noexcept { return {b.data(), b.size()}; }

template <std::size_t N> void append_hex(const std::array<std::uint8_t, N>& bytes, fmt::memory_buffer& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const std::uint8_t b : bytes) {
    out.push_back(digits[b >> 4U]);
    out.push_back(digits[b & 15U]);
  }
}

} // namespace

std::string_view text_arena::keep(std::string_view s) {
  if (s.empty()) return {};
  char* at = reserve(s.size());
  std::memcpy(at, s.data(), s.size());
  return commit(at, at + s.size());
}

char* text_arena::reserve_elsewhere(std::size_t bytes) {
  if (bytes > block_bytes / 4) return large_.emplace_back(std::make_unique<char[]>(bytes)).get();
  const std::size_t next = blocks_.empty() ? 0 : block_ + 1;
  if (next == blocks_.size()) blocks_.push_back(std::make_unique<char[]>(block_bytes));
  block_ = next;
  next_ = blocks_[block_].get();
  end_ = next_ + block_bytes;
  return next_;
}

void text_arena::clear() noexcept {
  large_.clear();
  block_ = 0;
  next_ = blocks_.empty() ? nullptr : blocks_.front().get();
  end_ = blocks_.empty() ? nullptr : next_ + block_bytes;
}

void view_builder::clear() noexcept {
  arena_.clear();
  contexts_used_ = 0;
  arguments_used_ = 0;
}

const view_builder::known_site& view_builder::make_site(std::uint32_t id) {
  static const site_facts unknown{"[unknown site]", "", "", "", 0};
  if (id >= sites_.size()) sites_.resize(std::max<std::size_t>(id + 1, sites_.size() * 2));
  known_site& s = sites_[id];
  const dictionary_entry* entry = dictionary::instance().find(id);
  s.facts = entry != nullptr ? &entry->facts : &unknown;
  s.types = entry != nullptr ? entry->types : std::string_view{};
  s.plan = std::make_unique<message_plan>(s.facts->format, s.types);
  return s;
}

std::string_view view_builder::message_of(const message_plan& plan, const std::byte* data, std::size_t bytes,
                                          message_outcome& outcome) {
  if (const std::size_t room = plan.most_bytes(bytes); room != 0) {
    char* const at = arena_.reserve(room);
    if (char* const end = plan.write_message(at, data, bytes, outcome)) return arena_.commit(at, end);
  }
  scratch_.clear();
  outcome = plan.append_message(data, bytes, scratch_);
  return arena_.keep(text_of(scratch_));
}

std::span<const named_argument> view_builder::arguments_of(const message_plan& plan, const std::byte* data,
                                                           std::size_t bytes) {
  std::array<argument, most_arguments> decoded;
  const int count = decode(plan.types(), data, bytes, decoded);
  if (count <= 0) return {};
  if (arguments_used_ == arguments_.size()) arguments_.emplace_back();
  std::vector<named_argument>& named = arguments_[arguments_used_++];
  named.clear();
  const std::span<const std::string> names = plan.argument_names();
  for (std::size_t i = 0; i < std::min(names.size(), static_cast<std::size_t>(count)); ++i) {
    if (names[i].empty()) continue;
    scratch_.clear();
    append_value(decoded[i], scratch_);
    named.push_back({names[i], arena_.keep(text_of(scratch_)), kind_of(decoded[i])});
  }
  return named;
}

bool view_builder::build(const record_reader& record, const node* logger, thread_identity thread,
                         const scope_context* scope, std::uint64_t dump_id, record_view& view) {
  const known_site& s = site_of(record.site());
  const std::size_t bytes = record.bytes() - header_bytes;
  message_outcome outcome;
  view.text = message_of(*s.plan, record.arguments(), bytes, outcome);
  view.text_is_plain = outcome.plain;
  view.exception_text = {};
  if (outcome.failed) count(counts_.format_errors);
  if (s.plan->tells_exception()) {
    scratch_.clear();
    message_plan::append_exception(s.types, record.arguments(), bytes, scratch_);
    view.exception_text = arena_.keep(text_of(scratch_));
  }
  view.arguments = {};
  if (!s.plan->argument_names().empty()) view.arguments = arguments_of(*s.plan, record.arguments(), bytes);
  view.level = record.level();
  view.logger = logger != nullptr ? std::string_view(logger->name) : std::string_view("[unknown logger]");
  view.time = clock_.to_wall(record.time());
  view.time_is_exact = true;
  view.thread_id = thread.id;
  view.thread_name = name_of(thread);
  view.site = s.facts;
  view.scope = scope;
  view.dump_id = dump_id;
  return outcome.cut;
}

const scope_context* view_builder::build(const context_block& block) {
  if (contexts_used_ == contexts_.size()) contexts_.emplace_back();
  context_memory& memory = contexts_[contexts_used_++];
  memory.fields.clear();
  scope_context& view = memory.view;
  view = {};
  view.name = block.name();
  if (block.traced()) {
    scratch_.clear();
    append_hex(block.trace(), scratch_);
    append_hex(block.span(), scratch_);
    const std::string_view hex = arena_.keep(text_of(scratch_));
    view.trace_id = hex.substr(0, 32);
    view.span_id = hex.substr(32);
  }
  for (std::string_view rest = block.fields(); rest.size() > 3;) {
    const std::size_t key = static_cast<unsigned char>(rest[0]);
    const std::size_t code = static_cast<unsigned char>(rest[1]);
    const std::size_t value = static_cast<unsigned char>(rest[2]);
    if (3 + key + code + value > rest.size()) break;
    argument_reader reader(rest.substr(3 + key, code),
                           reinterpret_cast<const std::byte*>(rest.data() + 3 + key + code), value);
    argument a;
    scratch_.clear();
    if (reader.next(a)) append_value(a, scratch_);
    memory.fields.push_back({rest.substr(3, key), arena_.keep(text_of(scratch_))});
    rest.remove_prefix(3 + key + code + value);
  }
  view.fields = memory.fields;
  return &view;
}

} // namespace faultline::detail
