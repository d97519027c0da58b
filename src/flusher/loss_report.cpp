#include "flusher/loss_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <faultline/record.hpp>

#include "record/dictionary.hpp"

namespace faultline::detail {
namespace {

constexpr std::uint64_t interval_ns = 1'000'000'000;
/// Threads' counts are looked at no more often than this, as each look visits all threads.
constexpr std::uint64_t look_interval_ns = 100'000'000;

/// "4 scopes hold" and "1 scope holds".
std::string_view s_if(bool wanted) noexcept { return wanted ? "s" : ""; }

/// ", the latest at order.cpp:42" where the place is known.
std::string place_of(std::uint32_t site) {
  const dictionary_entry* const entry = site != 0 ? dictionary::instance().find(site) : nullptr;
  return entry != nullptr && entry->facts.line != 0
             ? fmt::format(", the latest at {}:{}", entry->facts.file, entry->facts.line)
             : "";
}

/// ", the latest named \"request\"" where it has a name; scopes without one are their loggers'.
std::string name_of(const loss& latest, const registry& loggers) {
  if (latest.name[0] != 0) return fmt::format(", the latest named \"{}\"", latest.name.data());
  const node* const logger = loggers.find(latest.logger);
  return logger != nullptr ? fmt::format(", the latest of logger {}", logger->name) : "";
}

std::uint64_t read(const std::atomic<std::uint64_t>& count) noexcept {
  return count.load(std::memory_order_relaxed);
}

} // namespace

bool loss_report::state::may_tell(std::uint64_t now_ns, bool all) const noexcept {
  return all || last_ns == 0 || now_ns - last_ns >= interval_ns;
}

void loss_report::forget() noexcept {
  const auto counts = count_others();
  for (std::size_t k = 0; k < others; ++k) others_[k].told = counts[k];
}

bool loss_report::write_due(std::uint64_t now_ns, moment when) {
  if (when == moment::after_end) return write_handlers(now_ns, when);
  if (when == moment::round && now_ns - looked_ns_ < look_interval_ns) return false;
  const bool all = when == moment::end;
  looked_ns_ = now_ns;
  bool wrote = false;
  for (std::size_t k = 0; k < loss_kinds; ++k)
    if (kinds_[k].may_tell(now_ns, all) && write_kind(static_cast<loss_kind>(k), all)) {
      kinds_[k].last_ns = now_ns;
      wrote = true;
    }
  wrote = write_others(now_ns, all) || wrote;
  return write_handlers(now_ns, when) || wrote;
}

/// Slots with something more of that kind, by what they have in common.
std::vector<loss_report::group> loss_report::groups_of(loss_kind kind, bool all) {
  std::vector<group> groups;
  const std::size_t k = index_of(kind);
  for (thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr;
       slot = slot->next) {
    const std::uint64_t now = read(slot->counts.losses[k]);
    if (now == slot->flusher.told_losses[k]) continue;
    loss latest;
    if (!slot->counts.latest_losses[k].read(latest)) { // it is being written
      if (!all) continue;                              // the next look finds it
      latest = {};
    }
    latest.name.back() = 0;
    auto same = std::find_if(groups.begin(), groups.end(), [&latest](const group& g) {
      return g.latest.target == latest.target &&
             (latest.target != nullptr || g.latest.logger == latest.logger);
    });
    if (same == groups.end()) same = groups.insert(same, group{});
    same->latest = latest;
    same->more += now - slot->flusher.told_losses[k];
    same->slots.push_back(slot);
    slot->flusher.seen_losses[k] = now;
  }
  return groups;
}

bool loss_report::write_kind(loss_kind kind, bool all) {
  bool wrote = false;
  for (const group& g : groups_of(kind, all)) {
    const std::string text = describe(kind, g);
    bool told = false;
    for (handler* const target : targets_of(g.latest)) told = write(*target, text) || told;
    if (!told) continue;
    for (thread_slot* slot : g.slots)
      slot->flusher.told_losses[index_of(kind)] = slot->flusher.seen_losses[index_of(kind)];
    wrote = true;
  }
  return wrote;
}

/// Who lacks it: the target, or the handlers of its logger, or the default target.
std::vector<handler*> loss_report::targets_of(const loss& latest) {
  if (latest.target != nullptr) return {threads_.owner.successor(latest.target)};
  std::vector<handler*> targets;
  if (const node* const logger = threads_.owner.loggers.find(latest.logger)) {
    routes_.forget(); // handlers may have come since the round's records
    const auto routed = routes_.route(*logger, level::warning, threads_.owner.loggers.version());
    targets.assign(routed.begin(), routed.end());
  }
  if (targets.empty()) targets.push_back(&threads_.owner.default_target());
  return targets;
}

std::string loss_report::describe(loss_kind kind, const group& lost) const {
  const std::uint64_t more = lost.more;
  const bool many = more != 1;
  const registry& loggers = threads_.owner.loggers;
  const slot_geometry& sizes = lost.slots.back()->geometry();
  switch (kind) {
  case loss_kind::outbox_full:
    return fmt::format(
        "lost: {} record{}{}: the outbox of a thread was full (outbox_bytes={}); a larger one or a "
        "faster handler helps",
        more, s_if(many), place_of(lost.latest.site), sizes.outbox_bytes);
  case loss_kind::no_buffer:
    return fmt::format(
        "lost: what {} failure{} held{}{}: all buffers of the thread were on their way "
        "(buffers_per_thread={}); more of them or a faster handler help, and a later failure in the "
        "same scope may tell it after all",
        more, s_if(many), name_of(lost.latest, loggers), place_of(lost.latest.site), sizes.buffers);
  case loss_kind::scope_refused:
    return fmt::format(
        "{} scope{} hold{} nothing{}: more than {} are open on a thread, or they have more than {} "
        "different targets; scopes that stay open across co_await or callbacks add up",
        more, s_if(many), s_if(!many), name_of(lost.latest, loggers), deepest_scope, most_targets);
  case loss_kind::scope_abandoned:
    return fmt::format(
        "{} scope{} ended in a wrong order{}: a scope around it, or its thread, ended first, and what "
        "it held is gone; a scope belongs to one block on one thread, which must not be suspended in "
        "it",
        more, s_if(many), name_of(lost.latest, loggers));
  case loss_kind::scope_moved:
    return fmt::format(
        "{} scope{} ended on another thread than entered it{}: what it held is gone; a scope belongs "
        "to one block on one thread",
        more, s_if(many), name_of(lost.latest, loggers));
  }
  return {};
}

std::array<std::uint64_t, loss_report::others> loss_report::count_others() const noexcept {
  const core& owner = threads_.owner;
  return {read(owner.reentered), read(owner.unmade), read(counts_.lost), read(owner.barred)};
}

bool loss_report::write_others(std::uint64_t now_ns, bool all) {
  constexpr std::array<std::string_view, others> why{
      "logged in signal handlers that interrupted a statement on their thread",
      "for which there was no memory, no thread or no place in the dictionary", "that no handler took",
      "logged by handlers on the flusher's thread"};
  const auto counts = count_others();
  bool wrote = false;
  for (std::size_t k = 0; k < others; ++k) {
    state& s = others_[k];
    // What handlers log themselves is told at the end alone: the line could make them log again.
    if (counts[k] <= s.told || !s.may_tell(now_ns, all) || (k == own_thread && !all)) continue;
    const std::uint64_t more = counts[k] - s.told;
    if (!write(threads_.owner.default_target(),
               fmt::format("lost: {} record{} {}", more, s_if(more != 1), why[k])))
      continue;
    s = {counts[k], now_ns};
    wrote = true;
  }
  return wrote;
}

/// What handlers could not write: at the handler itself once it takes text again, or, where that takes longer
/// than a second, at the default target.
bool loss_report::write_handlers(std::uint64_t now_ns, moment when) {
  const bool all = when >= moment::end;
  handler& fallback = threads_.owner.default_target();
  bool wrote = false;
  const auto has_more = [](const delivery::known_handler& h) { return h.target->lost() > h.told; };
  if (std::none_of(out_.known().begin(), out_.known().end(), has_more)) return false;
  const std::vector<delivery::known_handler> known = out_.known(); // a line may make another one known
  for (const delivery::known_handler& h : known) {
    const std::uint64_t lost = h.target->lost();
    if (lost <= h.told || !state{0, h.told_ns}.may_tell(now_ns, all)) continue;
    const bool is_down = h.refuses || h.target->pending() || when == moment::after_end;
    const std::uint64_t held_since = h.held_since_ns != 0 ? h.held_since_ns : now_ns;
    if (is_down) out_.known_as(*h.target).held_since_ns = held_since;
    if (is_down && (h.target == &fallback || (!all && now_ns - held_since < interval_ns))) continue;
    const std::uint64_t more = lost - h.told;
    if (!write(is_down ? fallback : *h.target,
               fmt::format("lost: {} record{} that {} could not write, nor keep any longer", more,
                           s_if(more != 1), is_down ? "another handler" : "this handler")))
      continue;
    delivery::known_handler& told = out_.known_as(*h.target);
    told.told = h.target->lost(); // this line is none of them
    told.told_ns = now_ns;
    told.held_since_ns = 0;
    wrote = true;
  }
  return wrote;
}

/// At the target, or where that takes nothing at the default one.
bool loss_report::write(handler& target, const std::string& text) {
  static const site_facts facts{"lost", __FILE__, "faultline", "", __LINE__};
  for (handler* const h : {&target, &threads_.owner.default_target()})
    if (!out_.refuses(*h) && out_.write_line(*h, level::warning, facts, text)) return true;
  return false;
}

} // namespace faultline::detail
