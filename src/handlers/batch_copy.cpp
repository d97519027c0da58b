#include "handlers/batch_copy.hpp"

#include <algorithm>
#include <memory>

namespace faultline::detail {
namespace {

/// What most batches need at once, so that few need more than one block.
std::size_t first_block_bytes(const batch& records) noexcept {
  constexpr std::size_t shared = 512; // a site, a context, a logger's name
  std::size_t bytes = shared;
  for (const record_view& r : records) bytes += sizeof(record_view) + r.text.size() + r.exception_text.size();
  return bytes;
}

/// The index of a record shortly before `at` for which `is_same` holds, or `at`.
template <class Predicate> std::size_t find_before(std::size_t at, Predicate&& is_same) {
  constexpr std::size_t reach = 16; // a longer search costs more than a copy
  const std::size_t end = at > reach ? at - reach : 0;
  for (std::size_t i = at; i-- > end;)
    if (is_same(i)) return i;
  return at;
}

} // namespace

batch_copy::batch_copy(const batch& records)
    : memory_(first_block_bytes(records), std::pmr::new_delete_resource()),
      records_(keep(records.records())) {
  for (std::size_t i = 0; i < records_.size(); ++i) keep_record(records.records(), i);
  if (records.envelope() == nullptr) return;
  dump_envelope& envelope = envelope_.emplace(*records.envelope());
  envelope.scope = keep(envelope.scope);
  envelope.logger = keep(envelope.logger);
  envelope.reason = keep(envelope.reason);
}

/// The members still refer to what the objects referred to.
template <class T> std::span<T> batch_copy::keep(std::span<const T> objects) {
  if (objects.empty()) return {};
  bytes_ += objects.size_bytes();
  auto* const copies = static_cast<T*>(memory_.allocate(objects.size_bytes(), alignof(T)));
  std::uninitialized_copy(objects.begin(), objects.end(), copies);
  return {copies, objects.size()};
}

std::string_view batch_copy::keep(std::string_view text) {
  const std::span<char> copy = keep(std::span<const char>(text));
  return {copy.data(), copy.size()};
}

scope_context batch_copy::keep(const scope_context& context) {
  const std::span<context_field> fields = keep(context.fields);
  for (context_field& f : fields) f = {keep(f.key), keep(f.value)};
  return {keep(context.name), keep(context.trace_id), keep(context.span_id), fields};
}

site_facts batch_copy::keep(const site_facts& site) {
  return {keep(site.format), keep(site.file), keep(site.function), keep(site.argument_names), site.line};
}

void batch_copy::keep_record(std::span<const record_view> source, std::size_t at) {
  const record_view& from = source[at];
  record_view& r = records_[at];
  r.text = keep(from.text);
  r.exception_text = keep(from.exception_text);
  const std::span<named_argument> arguments = keep(from.arguments);
  for (named_argument& a : arguments) a = {keep(a.name), keep(a.text), a.kind};
  r.arguments = arguments;

  const auto same_site = find_before(at, [&](std::size_t i) { return source[i].site == from.site; });
  const auto same_scope = find_before(at, [&](std::size_t i) { return source[i].scope == from.scope; });
  const auto same_logger = find_before(at, [&](std::size_t i) {
    return source[i].logger.data() == from.logger.data() && source[i].logger.size() == from.logger.size();
  });
  if (same_site != at)
    r.site = records_[same_site].site;
  else if (from.site != nullptr) {
    const site_facts site = keep(*from.site);
    r.site = keep(std::span(&site, 1)).data();
  }
  if (same_scope != at)
    r.scope = records_[same_scope].scope;
  else if (from.scope != nullptr) {
    const scope_context scope = keep(*from.scope);
    r.scope = keep(std::span(&scope, 1)).data();
  }
  r.logger = same_logger != at ? records_[same_logger].logger : keep(from.logger);
}

} // namespace faultline::detail
