// What scopes and loggers write.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "scope_model/interpreter.hpp"

namespace faultline::scope_model {
namespace {

std::string shown_reason(std::string_view reason) {
  const std::string mark = "[...]";
  if (reason.size() <= longest_shown) return std::string(reason);
  return std::string(reason.substr(0, longest_shown - mark.size())) + mark;
}

} // namespace

interpreter::scopes interpreter::in_order(scopes tripped) const {
  std::stable_sort(tripped.begin(), tripped.end(), [this](const model_scope* a, const model_scope* b) {
    const std::size_t x = loggers_[a->logger].depth;
    const std::size_t y = loggers_[b->logger].depth;
    return wrongly(mistake::farthest_logger_first) ? x < y : x > y;
  });
  return tripped;
}

void interpreter::write(const scopes& tripped, const cause& c) {
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

/// What a thread held before scopes that are written is not their story.
void interpreter::discard_outside() {
  if (wrongly(mistake::outside_stays)) return;
  for (std::size_t i = outside_.since; i < records_.size(); ++i)
    records_[i].discarded = records_[i].discarded || records_[i].outside;
  outside_.held.clear();
  outside_.forgotten.clear();
  outside_.since = records_.size();
}

/// One dump of scopes with one target, in the order in which they write.
void interpreter::write_dump(const scopes& group, const cause& c) {
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
void interpreter::pass(model_record& r) {
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
bool interpreter::is_silent(const model_record& r) {
  if (r.at < level::error || routed(r) != 0 || wrongly(mistake::errors_are_silent)) return false;
  const scopes open = watching();
  return std::none_of(open.begin(), open.end(), [&](const model_scope* s) { return sees(*s, r); });
}

void interpreter::pass_to_default_target(model_record& r) {
  r.passed = true;
  r.passed_to = bit(0);
  result_.exact.at[0].push_back(
      {"", false, 0, {{r.number, line_of(r.at, loggers_[r.logger].name, "", r.message, r.exception)}}});
  ++result_.exact.stats.taken;
  ++result_.exact.stats.written;
}

/// First entered first, each with its scope's name, but for targets that have it.
void interpreter::tell(model_record& r, const scopes& told) {
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

} // namespace faultline::scope_model
