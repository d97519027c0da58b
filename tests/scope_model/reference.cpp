#include "scope_model/reference.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

#include "scope_model/interpreter.hpp"

namespace faultline::scope_model {

interpreter::interpreter(const program& p, mistake wrong)
    : wrong_(wrong), storms_(p.storms), holds_outside_(p.holds_outside) {
  result_.forgets = holds_outside_;
  if (wrongly(mistake::outside_holds_one_more)) ++outside_.capacity;
  for (const std::string_view name : logger_names) {
    model_logger& made = loggers_.emplace_back();
    made.name = name.empty() ? "root" : name;
    made.depth = name.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
    for (std::size_t i = 0; i + 1 < loggers_.size(); ++i) // the longest name that it begins with
      if (i == 0 || name.starts_with(std::string(logger_names[i]) + '.')) made.parent = i;
  }
  loggers_[0].own = level::debug;
}

level interpreter::level_of(std::size_t logger) const {
  while (!loggers_[logger].own) logger = wrongly(mistake::level_of_root) ? 0 : *loggers_[logger].parent;
  return *loggers_[logger].own;
}

/// The loggers that its records reach, itself first.
std::vector<std::size_t> interpreter::way_up(std::size_t logger) const {
  std::vector<std::size_t> way{logger};
  while (loggers_[logger].parent && (loggers_[logger].propagates || wrongly(mistake::propagates_always)))
    way.push_back(logger = *loggers_[logger].parent);
  return way;
}

bool interpreter::sees(const model_scope& s, const model_record& r) const {
  const auto way = way_up(r.logger);
  return wrongly(mistake::sees_all) || std::find(way.begin(), way.end(), s.logger) != way.end();
}

/// The handlers that the record goes to whatever becomes of scopes.
std::uint32_t interpreter::routed(const model_record& r) const {
  std::uint32_t to = 0;
  for (const std::size_t logger : way_up(r.logger)) to |= loggers_[logger].handlers;
  for (std::size_t h = 0; h < most_handlers; ++h)
    if (r.at < thresholds_[h]) to &= ~bit(h);
  return to;
}

bool interpreter::at_flush_level(const model_scope& s, const model_record& r) const {
  if (wrongly(mistake::exception_always_trips) && r.message == "call failed") return true;
  return s.flush_level != level::off && r.at >= s.flush_level;
}

bool interpreter::is_expected(const model_scope& s, const model_record& r, trigger why) const {
  if (s.expects == nullptr || wrongly(mistake::expects_nothing)) return false;
  trip_view v;
  v.level = r.at;
  v.logger = loggers_[r.logger].name;
  v.format = r.message.starts_with("call failed") ? std::string_view(r.message) : "{}";
  v.exception_escapes = why == trigger::exception;
  if (v.exception_escapes && !r.exception.empty()) v.exception_type = &typeid(std::runtime_error);
  return s.expects(v);
}

void interpreter::hold(model_scope& s, std::size_t record) const {
  s.held.push_back(record);
  const std::size_t last = s.capacity + (wrongly(mistake::capacity_off_by_one) ? 1 : 0);
  const std::size_t most =
      wrongly(mistake::first_are_of_the_last) ? std::max(last, s.pin_first) : last + s.pin_first;
  if (s.flushes_when_full || s.held.size() <= most) return;
  const auto oldest = s.held.begin() + static_cast<std::ptrdiff_t>(s.pin_first);
  s.forgotten.push_back(*oldest);
  s.held.erase(oldest);
}

void interpreter::log(model_record r, trigger why) {
  if (r.at < level_of(r.logger)) return;
  const std::size_t record = records_.size();
  begin_thread();
  r.outside = holds_outside_ && open_scopes().empty();
  records_.push_back(std::move(r));
  const concerned c = concerns(record, why);
  note_destination(records_[record], c);
  if (c.failed.empty()) why = trigger::full;
  if (!c.tripped.empty())
    write(in_order(c.tripped), {why, why == trigger::level ? to_string(records_[record].at) : "", true});
  begin_passing(wrongly(mistake::full_begins_to_pass) ? c.tripped : c.failed);
  if (is_silent(records_[record]))
    pass_to_default_target(records_[record]);
  else
    pass(records_[record]);
  tell(records_[record], c.told);
}

interpreter::concerned interpreter::concerns(std::size_t record, trigger why) {
  const model_record& r = records_[record];
  const std::size_t full_late = wrongly(mistake::full_one_late) ? 1 : 0;
  concerned c;
  bool spared = false;
  for (model_scope* s : watching()) {
    if (!sees(*s, r)) continue;
    if (s->passing) {
      c.told.push_back(s);
      continue;
    }
    hold(*s, record);
    const bool expected = at_flush_level(*s, r) && is_expected(*s, r, why);
    const bool fails = at_flush_level(*s, r) && !expected;
    spared = spared || expected;
    if (fails) c.failed.push_back(s);
    if (fails || (s->flushes_when_full && s->held.size() >= s->capacity + full_late))
      c.tripped.push_back(s);
    else if (expected && !wrongly(mistake::expected_is_held))
      c.told.push_back(s);
  }
  if (spared && wrongly(mistake::expected_for_all)) c.tripped = c.failed = {};
  return c;
}

void interpreter::begin_passing(const scopes& failed) const {
  for (model_scope* s : failed) s->passing = s->passes_through && !wrongly(mistake::never_passes);
}

void interpreter::note_destination(model_record& r, const concerned& c) {
  const scopes open = watching();
  // Not outside scopes: with little room scopes may write all at once, and discard it, that would not else.
  r.alone = open.size() == 1 && !r.outside;
  destination d{routed(r), routed(r)};
  for (const model_scope* s : open)
    if (sees(*s, r)) d.allowed |= bit(s->target);
  for (const model_scope* s : c.told) // in a storm a scope does not begin to pass
    if (at_flush_level(*s, r) || !storms_) d.wanted |= bit(s->target);
  for (const model_scope* s : c.failed) { // fullness depends on what the buffer made the scope write
    d.wanted |= bit(s->target);
    for (const std::size_t i : s->held)
      if (r.alone && records_[i].alone && records_[i].number != 0)
        result_.destinations[records_[i].number].told = true;
    if (r.alone) note_first(*s);
  }
  if (is_silent(r)) d.allowed = d.wanted = bit(0);
  if (r.number == 0) {
    for (std::size_t h = 0; h < most_handlers; ++h) result_.unnumbered[h] += d.allowed >> h & 1U;
    return;
  }
  d.told = result_.destinations[r.number].told;
  d.first = result_.destinations[r.number].first;
  result_.destinations[r.number] = d;
}

/// The first records of a scope outlast the smallest buffer, if those of the thread fit into a sixteenth of
/// it.
void interpreter::note_first(const model_scope& s) {
  if (!s.alone_pins) return;
  constexpr std::size_t room = 4096 / 16;
  constexpr std::size_t most_added = 40; // to the text
  std::size_t bytes = 0;
  for (std::size_t k = 0; k < std::min(s.pin_first, s.held.size()); ++k) {
    const model_record& r = records_[s.held[k]];
    bytes += r.message.size() + r.exception.size() + most_added;
    if (bytes > room || r.number == 0) return;
    result_.destinations[r.number].first |= bit(s.target);
  }
}

/// Its first record, or scope: what it holds outside scopes begins.
void interpreter::begin_thread() {
  if (!std::exchange(has_begun_, true)) outside_.start_ms = now_ms_;
}

void interpreter::enter(const step& s) {
  ++begun_;
  begin_thread();
  const scopes open = open_scopes();
  std::uint32_t targets = bit(s.handler);
  for (const model_scope* other : open) targets |= bit(other->target);
  const std::size_t deepest = wrongly(mistake::one_deeper) ? 33 : 32;
  const int most_targets = wrongly(mistake::ninth_target) ? 9 : 8;
  const bool refused = open.size() == deepest || std::popcount(targets) > most_targets;
  result_.exact.stats.scopes_refused += refused ? 1 : 0;
  result_.forgets = result_.forgets || !s.flag || s.passes_through;
  bool alone_pins = true;
  if (s.pin_first != 0)
    for (model_scope* other : open)
      if (other->pin_first != 0) alone_pins = other->alone_pins = false;
  objects_.push_back(std::make_unique<entered>(entered{scope_of(s), !refused}));
  objects_.back()->scope.alone_pins = alone_pins;
}

model_scope interpreter::scope_of(const step& s) const {
  return {.name = s.named ? name_of_scope(begun_) : "",
          .logger = s.logger,
          .target = s.handler,
          .flush_level = s.at,
          .capacity = s.number,
          .flushes_when_full = s.flag,
          .passes_through = s.passes_through,
          .pin_first = s.pin_first,
          .expects = predicate_of(s.expects),
          .budget_ms = s.budget_ms,
          .start_ms = now_ms_,
          .since = records_.size()};
}

model_scope* interpreter::find(const step& s) {
  if (s.scope >= objects_.size()) return nullptr;
  entered& o = *objects_[objects_.size() - 1 - s.scope];
  return o.open ? &o.scope : nullptr;
}

/// A trip without a record: where nothing was logged, or all was told already, nothing is written.
void interpreter::trip(model_scope& s, trigger why, std::string_view reason) {
  if (s.passing) return;
  const bool holds = s.since != records_.size();
  if (holds) write({&s}, {why, reason, false});
  if (holds || !wrongly(mistake::empty_trip_passes_not)) begin_passing({&s});
}

void interpreter::call_failed(const model_scope& s, std::string what) {
  log({s.logger, level::error, 0, "call failed", std::move(what)}, trigger::exception);
}

/// Looked at when the scope ends.
void interpreter::check_budget(model_scope& s) {
  const std::size_t most = s.budget_ms + (wrongly(mistake::slow_one_late) ? 1 : 0);
  const std::size_t from = wrongly(mistake::budget_since_trip) ? s.written_ms : s.start_ms;
  if (s.budget_ms != 0 && now_ms_ - from > most) trip(s, trigger::budget, "");
}

/// The object is destroyed; if its scope is open it ends, and with it those that were entered after it.
void interpreter::leave(std::size_t object) {
  const bool open = objects_[object]->open;
  if (open) check_budget(objects_[object]->scope);
  if (open && wrongly(mistake::success_takes_all))
    for (const auto& o : objects_)
      std::erase_if(o->scope.held, [&](std::size_t r) {
        const auto& held = objects_[object]->scope.held;
        return o != objects_[object] && std::find(held.begin(), held.end(), r) != held.end();
      });
  objects_.erase(objects_.begin() + static_cast<std::ptrdiff_t>(object));
  if (!open || wrongly(mistake::inner_scopes_stay)) return;
  for (; object < objects_.size(); ++object) {
    if (objects_[object]->open && wrongly(mistake::taken_along_is_slow))
      check_budget(objects_[object]->scope);
    result_.exact.stats.scopes_abandoned += objects_[object]->open ? 1 : 0;
    objects_[object]->open = false;
  }
}

void interpreter::unwind(std::size_t count) {
  for (; count > 0 && !objects_.empty(); --count) {
    if (objects_.back()->open) call_failed(objects_.back()->scope, "");
    leave(objects_.size() - 1);
  }
}

/// log_if_errors logs the exception even where its scope is not open, but then it is a record like others.
void interpreter::throw_told(std::size_t object, bool is_expected) {
  const std::size_t number = result_.destinations.size() - 1;
  log({objects_[object]->scope.logger, is_expected ? level::info : level::error, number,
       is_expected ? "call failed as expected" : "call failed",
       "std::runtime_error: " + message_of(number, 0)},
      objects_[object]->open && !is_expected ? trigger::exception : trigger::level);
  leave(object);
}

void interpreter::run(const step& s) {
  if (s.what == verb::log || s.what == verb::tell) result_.destinations.emplace_back();
  if (s.what == verb::trip) ++trips_;
  const std::size_t number = result_.destinations.size() - 1;
  const bool there = s.scope < objects_.size();
  model_logger& lg = loggers_[s.logger];
  switch (s.what) {
  case verb::log: return log({s.logger, s.at, number, message_of(number, s.number), ""}, trigger::level);
  case verb::begin: return enter(s);
  case verb::end: return there ? leave(objects_.size() - 1 - s.scope) : void();
  case verb::unwind: return unwind(std::min(s.number, most_unwound));
  case verb::tell: return there ? throw_told(objects_.size() - 1 - s.scope, s.flag) : void();
  case verb::trip:
    if (model_scope* open = find(s)) trip(*open, trigger::call, reason_of(trips_));
    return;
  case verb::fail:
    if (model_scope* open = find(s)) trip(*open, trigger::result, "");
    return;
  case verb::set_level: lg.own = s.at; return;
  case verb::inherit_level: lg.own = s.logger == 0 ? std::optional(level::debug) : std::nullopt; return;
  case verb::propagate:
    if (objects_.empty() && !(holds_outside_ && number > 0)) lg.propagates = s.flag;
    return;
  case verb::attach: lg.handlers |= bit(s.handler); return;
  case verb::detach: lg.handlers &= ~bit(s.handler); return;
  case verb::handler_level: thresholds_[s.handler] = s.at; return;
  case verb::run_once: return; // when things are written changes nothing
  case verb::pass_time: now_ms_ += s.number; return;
  }
}

expectation interpreter::result() {
  while (!objects_.empty()) leave(objects_.size() - 1);
  runtime_stats& stats = result_.exact.stats;
  result_.made = records_.size();
  for (const model_record& r : records_) {
    result_.held_outside += r.outside ? 1 : 0;
    if (r.outside && !r.handed_over && !r.passed && !r.discarded) continue; // not dealt with
    ++stats.logged;
    ++(r.handed_over ? stats.handed_over : r.passed ? stats.passed_only : stats.discarded);
  }
  return std::move(result_);
}

expectation expect(const program& p, mistake wrong) {
  interpreter r(p, wrong);
  for (const step& s : p.steps) r.run(s);
  return r.result();
}

} // namespace faultline::scope_model
