#include "scope_model/reference.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

#include <fmt/format.h>

#include "scope_model/model_objects.hpp"

namespace faultline::scope_model {
namespace {

constexpr std::size_t longest_shown = 63; ///< of names and reasons

std::string shown_reason(std::string_view reason) {
  const std::string mark = "[...]";
  if (reason.size() <= longest_shown) return std::string(reason);
  return std::string(reason.substr(0, longest_shown - mark.size())) + mark;
}

std::uint32_t bit(std::size_t handler) { return std::uint32_t{1} << handler; }

class reference {
 public:
  reference(const program& p, mistake wrong);
  void run(const step& s);
  [[nodiscard]] expectation result();

 private:
  using scopes = std::vector<model_scope*>;
  /// The scopes that a record concerns.
  struct concerned {
    scopes tripped; ///< they write
    scopes failed;  ///< of these, those that are not only full
    scopes told;    ///< their targets get the record alone
  };

  [[nodiscard]] bool wrongly(mistake m) const { return wrong_ == m; }
  [[nodiscard]] level level_of(std::size_t logger) const;
  [[nodiscard]] std::vector<std::size_t> way_up(std::size_t logger) const;
  [[nodiscard]] bool sees(const model_scope& s, const model_record& r) const;
  [[nodiscard]] std::uint32_t routed(const model_record& r) const;
  [[nodiscard]] bool at_flush_level(const model_scope& s, const model_record& r) const;
  [[nodiscard]] bool is_expected(const model_scope& s, const model_record& r, trigger why) const;
  [[nodiscard]] model_scope* find(const step& s);
  void enter(const step& s);
  [[nodiscard]] model_scope scope_of(const step& s) const;
  void hold(model_scope& s, std::size_t record) const;
  void log(model_record r, trigger why);
  [[nodiscard]] concerned concerns(std::size_t record, trigger why);
  void tell(model_record& r, const scopes& told);
  void begin_passing(const scopes& failed) const;
  void note_doubt(const scopes& failed);
  void note_destination(model_record& r, const concerned& c);
  void trip(model_scope& s, trigger why, std::string_view reason);
  [[nodiscard]] scopes in_order(scopes tripped) const;
  void write(const scopes& tripped, const cause& c);
  void write_dump(const scopes& group, const cause& c);
  void pass(model_record& r);
  [[nodiscard]] bool is_silent(const model_record& r);
  void pass_to_default_target(model_record& r);
  void begin_thread();
  void discard_outside();
  void call_failed(const model_scope& s, std::string what);
  void leave(std::size_t object);
  void check_budget(model_scope& s);
  void unwind(std::size_t count);
  void throw_told(std::size_t object, bool is_expected);

  mistake wrong_;
  std::vector<model_logger> loggers_;
  std::array<level, most_handlers> thresholds_{};
  std::vector<model_record> records_;
  /// The program's scopes in the order of their making; one that was refused, or taken along, is not open.
  struct entered {
    model_scope scope;
    bool open;
  };
  std::vector<std::unique_ptr<entered>> objects_;
  std::size_t begun_ = 0;
  std::size_t trips_ = 0;
  std::uint64_t next_dump_ = 1;
  std::size_t now_ms_ = 0;
  bool has_begun_ = false;           ///< the thread
  std::vector<std::size_t> written_; ///< records that the hand-over at hand wrote somewhere
  bool storms_;
  bool holds_outside_;
  model_scope outside_{.capacity = scope_options::default_capacity};
  expectation result_{.exact = {},
                      .destinations = {{}},
                      .unnumbered = {},
                      .forgets = false,
                      .doubtful = false,
                      .held_outside = 0,
                      .made = 0};

  [[nodiscard]] scopes open_scopes() {
    scopes open;
    for (const auto& o : objects_)
      if (o->open) open.push_back(&o->scope);
    return open;
  }
  /// The scopes that a record may concern: while none is open, the one that stands for records outside
  /// scopes.
  [[nodiscard]] scopes watching() {
    scopes all = open_scopes();
    if (holds_outside_ && (all.empty() || wrongly(mistake::outside_sees_scopes))) all.push_back(&outside_);
    return all;
  }
};

reference::reference(const program& p, mistake wrong)
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

level reference::level_of(std::size_t logger) const {
  while (!loggers_[logger].own) logger = wrongly(mistake::level_of_root) ? 0 : *loggers_[logger].parent;
  return *loggers_[logger].own;
}

/// The loggers that its records reach, itself first.
std::vector<std::size_t> reference::way_up(std::size_t logger) const {
  std::vector<std::size_t> way{logger};
  while (loggers_[logger].parent && (loggers_[logger].propagates || wrongly(mistake::propagates_always)))
    way.push_back(logger = *loggers_[logger].parent);
  return way;
}

bool reference::sees(const model_scope& s, const model_record& r) const {
  const auto way = way_up(r.logger);
  return wrongly(mistake::sees_all) || std::find(way.begin(), way.end(), s.logger) != way.end();
}

/// The handlers that the record goes to whatever becomes of scopes.
std::uint32_t reference::routed(const model_record& r) const {
  std::uint32_t to = 0;
  for (const std::size_t logger : way_up(r.logger)) to |= loggers_[logger].handlers;
  for (std::size_t h = 0; h < most_handlers; ++h)
    if (r.at < thresholds_[h]) to &= ~bit(h);
  return to;
}

bool reference::at_flush_level(const model_scope& s, const model_record& r) const {
  if (wrongly(mistake::exception_always_trips) && r.message == "call failed") return true;
  return s.flush_level != level::off && r.at >= s.flush_level;
}

bool reference::is_expected(const model_scope& s, const model_record& r, trigger why) const {
  if (s.expects == nullptr || wrongly(mistake::expects_nothing)) return false;
  trip_view v;
  v.level = r.at;
  v.logger = loggers_[r.logger].name;
  v.format = r.message.starts_with("call failed") ? std::string_view(r.message) : "{}";
  v.exception_escapes = why == trigger::exception;
  if (v.exception_escapes && !r.exception.empty()) v.exception_type = &typeid(std::runtime_error);
  return s.expects(v);
}

void reference::hold(model_scope& s, std::size_t record) const {
  s.held.push_back(record);
  const std::size_t last = s.capacity + (wrongly(mistake::capacity_off_by_one) ? 1 : 0);
  const std::size_t most =
      wrongly(mistake::first_are_of_the_last) ? std::max(last, s.pin_first) : last + s.pin_first;
  if (s.flushes_when_full || s.held.size() <= most) return;
  const auto oldest = s.held.begin() + static_cast<std::ptrdiff_t>(s.pin_first);
  s.forgotten.push_back(*oldest);
  s.held.erase(oldest);
}

void reference::log(model_record r, trigger why) {
  if (r.at < level_of(r.logger)) return;
  const std::size_t record = records_.size();
  begin_thread();
  r.outside = holds_outside_ && open_scopes().empty();
  records_.push_back(std::move(r));
  const concerned c = concerns(record, why);
  note_destination(records_[record], c);
  if (c.failed.empty()) why = trigger::full;
  note_doubt(c.failed);
  if (!c.tripped.empty())
    write(in_order(c.tripped), {why, why == trigger::level ? to_string(records_[record].at) : "", true});
  begin_passing(wrongly(mistake::full_begins_to_pass) ? c.tripped : c.failed);
  if (is_silent(records_[record]))
    pass_to_default_target(records_[record]);
  else
    pass(records_[record]);
  tell(records_[record], c.told);
}

reference::concerned reference::concerns(std::size_t record, trigger why) {
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

/// First entered first, each with its scope's name, but for targets that have it.
void reference::tell(model_record& r, const scopes& told) {
  const scopes open = open_scopes();
  for (const model_scope* s : told) {
    if (((r.passed_to | r.dumped_to) & bit(s->target)) != 0) continue;
    const model_scope& shown = wrongly(mistake::told_by_innermost) ? *open.back() : *s;
    const std::string name = shown.name.substr(0, longest_shown);
    result_.exact.at[s->target].push_back(
        {"", false, 0, {{r.number, line_of(r.at, loggers_[r.logger].name, name, r.message, r.exception)}}});
    r.passed = true;
    if (!wrongly(mistake::told_and_written)) r.passed_to |= bit(s->target);
    ++result_.exact.stats.taken;
    ++result_.exact.stats.written;
  }
}

void reference::begin_passing(const scopes& failed) const {
  for (model_scope* s : failed) s->passing = s->passes_through && !wrongly(mistake::never_passes);
}

/// What a scope's target has already counts for its capacity, unless the scope passes through. The library
/// takes one for passing through in the very dump by which it begins to: there it writes more records, or
/// tells of others as forgotten.
void reference::note_doubt(const scopes& failed) {
  for (const model_scope* s : failed) {
    if (!s->passes_through || s->passing) continue;
    for (const auto* list : {&s->held, &s->forgotten})
      for (const std::size_t i : *list)
        result_.doubtful =
            result_.doubtful || ((records_[i].dumped_to | records_[i].passed_to) & bit(s->target)) != 0;
  }
}

void reference::note_destination(model_record& r, const concerned& c) {
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
  }
  if (is_silent(r)) d.allowed = d.wanted = bit(0);
  if (r.number == 0) {
    for (std::size_t h = 0; h < most_handlers; ++h) result_.unnumbered[h] += d.allowed >> h & 1U;
    return;
  }
  d.told = result_.destinations[r.number].told;
  result_.destinations[r.number] = d;
}

reference::scopes reference::in_order(scopes tripped) const {
  std::stable_sort(tripped.begin(), tripped.end(), [this](const model_scope* a, const model_scope* b) {
    const std::size_t x = loggers_[a->logger].depth;
    const std::size_t y = loggers_[b->logger].depth;
    return wrongly(mistake::farthest_logger_first) ? x < y : x > y;
  });
  return tripped;
}

void reference::write(const scopes& tripped, const cause& c) {
  written_.clear();
  std::uint32_t done = 0;
  for (model_scope* first : tripped) {
    if ((done & bit(first->target)) != 0 && !wrongly(mistake::no_merging)) continue;
    done |= bit(first->target);
    scopes group;
    for (model_scope* s : tripped)
      if (s == first || (s->target == first->target && !wrongly(mistake::no_merging))) group.push_back(s);
    write_dump(group, c);
  }
  // What is handed over is all that was logged since the first of them began to hold.
  std::size_t from = records_.size();
  for (const model_scope* s : tripped)
    from = std::min(from, wrongly(mistake::hand_over_of_held_alone) && !s->held.empty() ? s->held.front()
                                                                                        : s->since);
  std::size_t handed_over = 0;
  for (std::size_t i = from; i < records_.size(); ++i) {
    if (tripped.front() == &outside_ && !records_[i].outside) continue; // gone with its scope
    records_[i].handed_over = true;
    ++handed_over;
  }
  std::sort(written_.begin(), written_.end());
  written_.erase(std::unique(written_.begin(), written_.end()), written_.end());
  runtime_stats& stats = result_.exact.stats;
  ++stats.hand_overs;
  stats.taken += handed_over;
  stats.written += written_.size();
  stats.skipped += handed_over - written_.size();
  if (tripped.size() == open_scopes().size()) discard_outside();
  if (wrongly(mistake::watermark_stays)) return;
  for (model_scope* s : tripped) {
    if (wrongly(mistake::first_only_once)) s->pin_first = 0;
    s->written_ms = now_ms_;
    s->held.clear();
    s->forgotten.clear();
    s->since = records_.size();
  }
}

/// Its first record, or scope: what it holds outside scopes begins.
void reference::begin_thread() {
  if (!std::exchange(has_begun_, true)) outside_.start_ms = now_ms_;
}

/// What a thread held before scopes that are written is not their story.
void reference::discard_outside() {
  if (wrongly(mistake::outside_stays)) return;
  for (std::size_t i = outside_.since; i < records_.size(); ++i)
    records_[i].discarded = records_[i].discarded || records_[i].outside;
  outside_.held.clear();
  outside_.forgotten.clear();
  outside_.since = records_.size();
}

/// One dump of scopes with one target, in the order in which they write.
void reference::write_dump(const scopes& group, const cause& c) {
  const model_scope& first = *group.front();
  std::vector<std::size_t> held;
  std::vector<std::size_t> forgotten;
  for (const model_scope* s : group) {
    held.insert(held.end(), s->held.begin(), s->held.end());
    forgotten.insert(forgotten.end(), s->forgotten.begin(), s->forgotten.end());
  }
  for (auto* list : {&held, &forgotten}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  if (!wrongly(mistake::forgotten_summed))
    std::erase_if(forgotten, [&](std::size_t r) { return std::binary_search(held.begin(), held.end(), r); });
  if (wrongly(mistake::forgotten_is_written))
    for (const std::size_t r : forgotten) records_[r].dumped_to |= bit(first.target);
  std::erase_if(held, [&](std::size_t i) {
    const model_record& r = records_[i];
    return ((r.dumped_to & bit(first.target)) != 0 && !wrongly(mistake::written_twice)) ||
           ((r.passed_to & bit(first.target)) != 0 && !wrongly(mistake::passed_and_written));
  });
  if (held.empty() && !wrongly(mistake::empty_dumps)) return;
  dump_envelope e;
  e.id = next_dump_++;
  const std::string name = first.name.substr(0, longest_shown);
  e.scope.name = name;
  e.logger = loggers_[first.logger].name;
  e.trigger = c.why;
  const std::string reason = shown_reason(c.reason);
  e.reason = reason;
  e.duration = std::chrono::milliseconds(now_ms_ - first.start_ms);
  e.records = held.size();
  e.forgotten = wrongly(mistake::forgotten_untold) ? 0 : forgotten.size();
  e.truncated = first.name.size() > longest_shown ? 1 : 0;
  block b{head_of(e), c.by_record, e.forgotten, {}};
  for (const std::size_t i : held) {
    model_record& r = records_[i];
    b.records.push_back({r.number, line_of(r.at, loggers_[r.logger].name, name, r.message, r.exception)});
    r.dumped_to |= bit(first.target);
    written_.push_back(i);
  }
  result_.exact.at[first.target].push_back(std::move(b));
  ++result_.exact.stats.dumps;
}

/// To the handlers at its logger and above, but for those that have it.
void reference::pass(model_record& r) {
  const std::uint32_t wanted = routed(r);
  if (wanted == 0) return;
  r.passed = true;
  const std::uint32_t to = wrongly(mistake::written_and_passed) ? wanted : wanted & ~r.dumped_to;
  const scopes open = open_scopes();
  const auto* const shown = open.empty()                          ? nullptr
                            : wrongly(mistake::outermost_context) ? open.front()
                                                                  : open.back();
  const std::string name = shown != nullptr ? shown->name.substr(0, longest_shown) : "";
  for (std::size_t h = 0; h < most_handlers; ++h)
    if ((to & bit(h)) != 0)
      result_.exact.at[h].push_back(
          {"", false, 0, {{r.number, line_of(r.at, loggers_[r.logger].name, name, r.message, r.exception)}}});
  r.passed_to = to;
  ++result_.exact.stats.taken;
  ++(to != 0 ? result_.exact.stats.written : result_.exact.stats.skipped);
}

/// An error that no open scope sees and no handler takes.
bool reference::is_silent(const model_record& r) {
  if (r.at < level::error || routed(r) != 0 || wrongly(mistake::errors_are_silent)) return false;
  const scopes open = watching();
  return std::none_of(open.begin(), open.end(), [&](const model_scope* s) { return sees(*s, r); });
}

void reference::pass_to_default_target(model_record& r) {
  r.passed = true;
  r.passed_to = bit(0);
  result_.exact.at[0].push_back(
      {"", false, 0, {{r.number, line_of(r.at, loggers_[r.logger].name, "", r.message, r.exception)}}});
  ++result_.exact.stats.taken;
  ++result_.exact.stats.written;
}

void reference::enter(const step& s) {
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
  objects_.push_back(std::make_unique<entered>(entered{scope_of(s), !refused}));
}

model_scope reference::scope_of(const step& s) const {
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

model_scope* reference::find(const step& s) {
  if (s.scope >= objects_.size()) return nullptr;
  entered& o = *objects_[objects_.size() - 1 - s.scope];
  return o.open ? &o.scope : nullptr;
}

/// A trip without a record: where nothing was logged, or all was told already, nothing is written.
void reference::trip(model_scope& s, trigger why, std::string_view reason) {
  if (s.passing) return;
  const bool holds = s.since != records_.size();
  note_doubt({&s});
  if (holds) write({&s}, {why, reason, false});
  if (holds || !wrongly(mistake::empty_trip_passes_not)) begin_passing({&s});
}

void reference::call_failed(const model_scope& s, std::string what) {
  log({s.logger, level::error, 0, "call failed", std::move(what)}, trigger::exception);
}

/// Looked at when the scope ends.
void reference::check_budget(model_scope& s) {
  const std::size_t most = s.budget_ms + (wrongly(mistake::slow_one_late) ? 1 : 0);
  const std::size_t from = wrongly(mistake::budget_since_trip) ? s.written_ms : s.start_ms;
  if (s.budget_ms != 0 && now_ms_ - from > most) trip(s, trigger::budget, "");
}

/// The object is destroyed; if its scope is open it ends, and with it those that were entered after it.
void reference::leave(std::size_t object) {
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

void reference::unwind(std::size_t count) {
  for (; count > 0 && !objects_.empty(); --count) {
    if (objects_.back()->open) call_failed(objects_.back()->scope, "");
    leave(objects_.size() - 1);
  }
}

/// log_if_errors logs the exception even where its scope is not open, but then it is a record like others.
void reference::throw_told(std::size_t object, bool is_expected) {
  const std::size_t number = result_.destinations.size() - 1;
  log({objects_[object]->scope.logger, is_expected ? level::info : level::error, number,
       is_expected ? "call failed as expected" : "call failed",
       "std::runtime_error: " + message_of(number, 0)},
      objects_[object]->open && !is_expected ? trigger::exception : trigger::level);
  leave(object);
}

void reference::run(const step& s) {
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

expectation reference::result() {
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

} // namespace

expectation expect(const program& p, mistake wrong) {
  reference r(p, wrong);
  for (const step& s : p.steps) r.run(s);
  return r.result();
}

} // namespace faultline::scope_model
