#include "front/trip_decision.hpp"

#include "record/dictionary.hpp"

namespace faultline::detail {
namespace {

/// Whether the scope's predicate says that such an error is expected.
bool is_expected(const thread_slot& slot, const scope_slot& scope, const node& n,
                 const record_reader& record) noexcept {
  if (!scope.is_special() || scope.special.expects == nullptr) return false;
  trip_view view;
  view.level = record.level();
  view.logger = n.name;
  if (const dictionary_entry* entry = dictionary::instance().find(record.site())) {
    view.format = entry->facts.format;
    view.file = entry->facts.file;
    view.function = entry->facts.function;
    view.line = entry->facts.line;
  }
  view.exception_escapes = slot.exception_escapes;
  view.exception_type = slot.escaping_type;
  return scope.special.expects(view);
}

} // namespace

trip_decision decide(thread_slot& slot, const node& n, const record_reader& record,
                     trip_cause& cause) noexcept {
  const level_mask bit = record.level_bit();
  trip_decision d;
  bool only_full = true;
  const auto scopes = slot.scopes();
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    scope_slot& scope = scopes[i];
    const bool by_level = (scope.levels & bit) != 0;
    if (!(by_level || scope.counts || scope.passing) || scope.abandoned() || !n.reaches(*scope.logger))
      continue;
    // One that passes through and owes nothing has nothing to write but the record itself.
    const bool told =
        scope.passing ? !by_level || !scope.owes() : by_level && is_expected(slot, scope, n, record);
    const bool full = scope.counts && !scope.passing && ++scope.held >= scope.capacity;
    if (full || (by_level && !told)) {
      only_full = only_full && (!by_level || told);
      d.tripped |= bit_of_scope(i);
    } else if (told) {
      d.urgent = d.urgent || by_level;
      d.told |= bit_of_scope(i);
    }
  }
  if (only_full) cause.trigger = trigger::full;
  return d;
}

} // namespace faultline::detail
