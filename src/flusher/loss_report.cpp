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
  return entry != nullptr ? fmt::format(", the latest at {}:{}", entry->facts.file, entry->facts.line) : "";
}

/// ", the latest named \"request\"" where it has a name; scopes without one are their loggers'.
std::string name_of(const loss& latest, const registry& loggers) {
  if (latest.name[0] != 0) return fmt::format(", the latest named \"{}\"", latest.name.data());
  const node* const logger = loggers.find(latest.logger);
  return logger != nullptr ? fmt::format(", the latest of logger {}", logger->name) : "";
}

} // namespace

loss_report::totals loss_report::count() const noexcept {
  totals sums{};
  const auto read = [](const std::atomic<std::uint64_t>& c) { return c.load(std::memory_order_relaxed); };
  for (const thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr;
       slot = slot->next)
    for (std::size_t k = 0; k < loss_kinds; ++k) sums[k] += read(slot->counts.losses[k]);
  const core& owner = threads_.owner;
  sums[index_of(loss_kind::scope_moved)] += read(owner.scopes_moved);
  sums[signal_handlers] = read(owner.reentered);
  sums[own_thread] = read(owner.barred);
  sums[no_memory] = read(owner.unmade);
  sums[handlers_threw] = read(counts_.lost);
  return sums;
}

/// Of a thread that lost something since the latest look; any thread's where the note is being written.
loss loss_report::latest_of(loss_kind kind) noexcept {
  loss latest;
  for (thread_slot* slot = threads_.slots.load(std::memory_order_acquire); slot != nullptr;
       slot = slot->next) {
    const std::uint64_t now = slot->counts.losses[index_of(kind)].load(std::memory_order_relaxed);
    std::uint64_t& told = slot->flusher.told_losses[index_of(kind)];
    if (now != told && slot->counts.latest_losses[index_of(kind)].read(latest)) latest.name.back() = 0;
    told = now;
  }
  return latest;
}

bool loss_report::write_due(std::uint64_t now_ns, bool look, bool all) {
  if (!look && now_ns - looked_ns_ < look_interval_ns) return false;
  looked_ns_ = now_ns;
  const totals sums = count();
  bool wrote = false;
  for (std::size_t k = 0; k < lines; ++k) {
    state& s = states_[k];
    if (sums[k] <= s.told || (!all && s.ever && now_ns - s.last_ns < interval_ns)) continue;
    // What handlers log themselves is told at the end alone: the line could make them log again.
    if ((k == own_thread && !all) || !write_line(k, sums[k] - s.told, all)) continue;
    s = {sums[k], now_ns, true};
    wrote = true;
  }
  return write_handlers(now_ns, all) || wrote;
}

bool loss_report::write_line(std::size_t which, std::uint64_t more, bool all) {
  const loss latest = which < loss_kinds ? latest_of(static_cast<loss_kind>(which)) : loss{};
  const std::string text = describe(which, more, latest);
  if (latest.target != nullptr) return write(*threads_.owner.successor(latest.target), text, all);
  std::vector<handler*> targets;
  if (const node* const logger = threads_.owner.loggers.find(latest.logger)) {
    routes_.forget(); // handlers may have come since the round's records
    const auto routed = routes_.route(*logger, level::warning, threads_.owner.loggers.version());
    targets.assign(routed.begin(), routed.end());
  }
  if (targets.empty()) targets.push_back(&threads_.owner.default_target());
  bool wrote = false;
  for (handler* const target : targets) wrote = write(*target, text, all) || wrote;
  return wrote;
}

std::string loss_report::describe(std::size_t which, std::uint64_t more, const loss& latest) const {
  const bool many = more != 1;
  const registry& loggers = threads_.owner.loggers;
  switch (which) {
  case static_cast<std::size_t>(loss_kind::outbox_full):
    return fmt::format(
        "lost: {} record{}{}: the outbox of a thread was full (outbox_bytes={}); a larger one or a faster "
        "handler helps",
        more, s_if(many), place_of(latest.site), threads_.owner.geometry().outbox_bytes);
  case static_cast<std::size_t>(loss_kind::no_buffer):
    return fmt::format("lost: what {} failure{} held{}{}: all buffers of the thread were on their way "
                       "(buffers_per_thread={}); more of them or a faster handler help",
                       more, s_if(many), name_of(latest, loggers), place_of(latest.site),
                       threads_.owner.geometry().buffers);
  case static_cast<std::size_t>(loss_kind::scope_refused):
    return fmt::format(
        "{} scope{} hold{} nothing{}: more than {} are open on a thread, or they have more than {} different "
        "targets; scopes that stay open across co_await or callbacks add up",
        more, s_if(many), s_if(!many), name_of(latest, loggers), deepest_scope, most_targets);
  case static_cast<std::size_t>(loss_kind::scope_abandoned):
    return fmt::format(
        "{} scope{} ended in a wrong order{}: a scope around it, or its thread, ended first, and what it "
        "held is gone; a scope belongs to one block on one thread, which must not be suspended in it",
        more, s_if(many), name_of(latest, loggers));
  case static_cast<std::size_t>(loss_kind::scope_moved):
    return fmt::format(
        "{} scope{} ended on another thread than entered it{}: what it held is gone; a scope belongs to one "
        "block on one thread",
        more, s_if(many), name_of(latest, loggers));
  case signal_handlers:
    return fmt::format(
        "lost: {} record{} logged in signal handlers that interrupted a statement on their thread", more,
        s_if(many));
  case own_thread:
    return fmt::format("lost: {} record{} logged by handlers on the flusher's thread", more, s_if(many));
  case no_memory:
    return fmt::format(
        "lost: {} record{} for which there was no memory, no thread or no place in the dictionary", more,
        s_if(many));
  default: return fmt::format("lost: {} record{} that no handler took: each of them threw", more, s_if(many));
  }
}

/// What handlers could not write: at the handler itself when it has put out all it had, else at the default
/// target.
bool loss_report::write_handlers(std::uint64_t now_ns, bool all) {
  bool wrote = false;
  for (std::size_t i = 0; i < out_.known().size(); ++i) { // a line may make another handler known
    delivery::known_handler h = out_.known()[i];
    const std::uint64_t lost = h.target->lost();
    if (lost <= h.told || (!all && h.told_ns != 0 && now_ns - h.told_ns < interval_ns)) continue;
    handler* const fallback = &threads_.owner.default_target();
    const bool is_down = h.throws || h.target->pending();
    if (is_down && (h.target == fallback || !all)) continue; // it is told when there is an end to it
    if (!write(is_down ? *fallback : *h.target,
               fmt::format("lost: {} record{} that {} could not write, nor keep any longer", lost - h.told,
                           s_if(lost - h.told != 1), is_down ? "another handler" : "this handler"),
               all))
      continue;
    out_.known()[i].told = h.target->lost(); // this line is none of them
    out_.known()[i].told_ns = now_ns;
    wrote = true;
  }
  return wrote;
}

/// At the target, or where it throws at the default one.
bool loss_report::write(handler& target, const std::string& text, bool all) {
  static const site_facts facts{"lost", __FILE__, "faultline", "", __LINE__};
  handler& fallback = threads_.owner.default_target();
  for (handler* const h : {&target, &fallback})
    if ((all || !out_.throws(*h)) && out_.write_line(*h, level::warning, facts, text)) return true;
  return false;
}

} // namespace faultline::detail
