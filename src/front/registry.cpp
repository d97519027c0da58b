#include "front/registry.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <pthread.h>

#include <faultline/configuration_error.hpp>
#include <faultline/handler.hpp>
#include <faultline/scope.hpp>

#include "base/whole_characters.hpp"
#include "front/core.hpp"
#include "handlers/handler_access.hpp"

namespace faultline::detail {
namespace {

/// Attachments of one logger that are remembered, ended ones included.
constexpr std::size_t most_remembered = 64;

/// All registries of the process, so that a handler's level reaches the loggers of each; under
/// configuration_mutex.
std::vector<registry*>& registries() {
  static auto& all = *new std::vector<registry*>; // never destroyed: handlers change in late destructors too
  return all;
}

} // namespace

void check_logger_name(std::string_view name) {
  constexpr std::size_t longest = 255;
  if (name.size() > longest)
    throw configuration_error("logger name", whole_characters(name, 40), "longer than 255 bytes");
  char before = '.';
  for (const char c : name) {
    if (c == '.' && before == '.')
      throw configuration_error("logger name", name, "a part between dots is empty");
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      throw configuration_error("logger name", "(not printable)", "control characters are not allowed");
    before = c;
  }
  if (before == '.') throw configuration_error("logger name", name, "a part between dots is empty");
}

std::mutex& configuration_mutex() {
  static std::mutex& mutex = []() -> std::mutex& {
    auto* made = new std::mutex; // never destroyed
    pthread_atfork([] { configuration_mutex().lock(); }, [] { configuration_mutex().unlock(); },
                   [] { configuration_mutex().unlock(); });
    return *made;
  }();
  return mutex;
}

registry::registry(const core& owner) : owner_(owner), by_id_(most_loggers * sizeof(id_cell)) {
  root_ = &make("root", nullptr);
  root_->own_level = level::debug;
  refresh(*root_);
  const std::lock_guard lock(configuration_mutex());
  registries().push_back(this);
  handler_access::level_listener.store(&registry::change_level_everywhere, std::memory_order_release);
}

registry::~registry() {
  const std::lock_guard lock(configuration_mutex());
  std::erase(registries(), this);
}

node& registry::make(std::string name, node* parent) {
  if (nodes_.size() + 1 >= most_loggers)
    throw configuration_error("logger name", name, "a runtime has at most 1,048,575 loggers");
  auto made = std::make_unique<node>();
  made->name = std::move(name);
  made->parent = parent;
  made->depth = parent != nullptr ? parent->depth + 1 : 0;
  made->id = static_cast<std::uint32_t>(nodes_.size() + 1);
  made->owner = &owner_;
  for (level_gate& gate : made->gates) gate.logger_id = made->id;
  refresh(*made);
  // Release: whoever finds the node by its id sees it whole.
  reinterpret_cast<id_cell*>(by_id_.data())[made->id].store(made.get(), std::memory_order_release);
  nodes_.push_back(std::move(made));
  return *nodes_.back();
}

node& registry::get(std::string_view dotted_name) {
  if (dotted_name.empty() || dotted_name == "root") return *root_;
  check_logger_name(dotted_name);
  const std::lock_guard lock(configuration_mutex());
  node* at = root_;
  for (std::size_t dot = 0; dot != std::string_view::npos;) {
    dot = dotted_name.find('.', dot + 1);
    const std::string_view name = dotted_name.substr(0, dot);
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) {
      at = found->second;
      continue;
    }
    at = &make(std::string(name), at);
    by_name_.emplace(at->name, at);
  }
  return *at;
}

void registry::set_level(node& n, std::optional<level> own) {
  const std::lock_guard lock(configuration_mutex());
  n.own_level = n.parent == nullptr && !own ? std::optional(level::debug) : own;
  refresh();
}

void registry::set_flush_level(node& n, std::optional<level> own) {
  const std::lock_guard lock(configuration_mutex());
  n.own_flush_level = own;
  refresh();
}

void registry::set_propagate(node& n, bool propagate) {
  const std::lock_guard lock(configuration_mutex());
  n.propagate.store(propagate, std::memory_order_relaxed);
  refresh();
}

void registry::publish(node& n, attachment_list changed) {
  // Stays that ended long ago matter to no record that is still held.
  while (changed.size() > most_remembered && changed.front().until != UINT64_MAX)
    changed.erase(changed.begin());
  lists_.push_back(std::make_unique<attachment_list>(std::move(changed)));
  n.attachments.store(lists_.back().get(), std::memory_order_release);
  refresh();
}

// A stay begins and ends at a boundary that lies ahead of its publication: whatever the flusher decided by
// the old list, it decided for records from before the boundary, and the new list says the same of those.
// (With the present for a boundary, a record between the reading of the clock and the publication is judged
// by one list on the pass path and by the other in a later dump: written twice, or never.) A change returns
// when the boundary has passed, so that it holds for all that the caller does next.
std::uint64_t registry::boundary() const noexcept {
  constexpr std::chrono::milliseconds ahead(
      1); // more than a publication takes, if the processor is not taken away
  return owner_.begun() != nullptr ? owner_.now() + owner_.ticks_in(ahead) : owner_.now();
}

namespace {

/// Waits until the boundary has passed; without the lock, which a scope takes for a target's first use.
void pass(clock_source clock, std::uint64_t boundary) noexcept {
  while (read_ticks(clock) < boundary) std::this_thread::yield();
}

} // namespace

void registry::attach(node& n, handler& target) {
  std::unique_lock lock(configuration_mutex());
  const auto* present = n.attachments.load(std::memory_order_relaxed);
  attachment_list changed = present != nullptr ? *present : attachment_list{};
  const auto same = [&](const attachment& a) { return a.target == &target && a.until == UINT64_MAX; };
  if (std::any_of(changed.begin(), changed.end(), same)) return;
  const std::uint64_t from = boundary();
  changed.push_back({&target, target.threshold(), from, UINT64_MAX});
  publish(n, std::move(changed));
  lock.unlock();
  pass(owner_.geometry.clock, from);
}

void registry::detach(node& n, handler& target) {
  std::unique_lock lock(configuration_mutex());
  const auto* present = n.attachments.load(std::memory_order_relaxed);
  if (present == nullptr) return;
  attachment_list changed = *present;
  const std::uint64_t to = boundary();
  for (attachment& a : changed)
    if (a.target == &target && a.until == UINT64_MAX) a.until = to;
  publish(n, std::move(changed));
  lock.unlock();
  pass(owner_.geometry.clock, to);
}

void registry::refresh(node& n) noexcept {
  level_mask mask = 0;
  if (const auto* list = n.attachments.load(std::memory_order_relaxed))
    for (const attachment& a : *list)
      if (a.until == UINT64_MAX) mask = static_cast<level_mask>(mask | bits_from(a.threshold));
  if (const node* up = n.up())
    mask = static_cast<level_mask>(mask | up->pass_mask.load(std::memory_order_relaxed));
  const level own = n.own_level           ? *n.own_level
                    : n.parent != nullptr ? n.parent->threshold.load(std::memory_order_relaxed)
                                          : level::debug;
  n.pass_mask.store(mask, std::memory_order_relaxed);
  for (std::size_t l = 0; l < n.gates.size(); ++l)
    n.gates[l].open_for(*n.owner, (mask & bit_of(static_cast<level>(l))) != 0);
  n.threshold.store(own, std::memory_order_relaxed);
  n.flush_mask.store(n.own_flush_level     ? bits_from(*n.own_flush_level)
                     : n.parent != nullptr ? n.parent->flush_mask.load(std::memory_order_relaxed)
                                           : bits_from(scope_options::default_flush_level),
                     std::memory_order_relaxed);
}

void registry::refresh() noexcept {
  for (const auto& n : nodes_) refresh(*n);
}

std::uint64_t registry::change_level(handler& h) {
  std::uint64_t latest = 0;
  for (const auto& n : nodes_) {
    const auto* present = n->attachments.load(std::memory_order_relaxed);
    if (present == nullptr) continue;
    const auto stays = [&](const attachment& a) { return a.target == &h && a.until == UINT64_MAX; };
    if (std::none_of(present->begin(), present->end(), stays)) continue;
    attachment_list changed = *present;
    latest = boundary();
    for (attachment& a : changed)
      if (stays(a)) a.until = latest;
    changed.push_back({&h, h.threshold(), latest, UINT64_MAX});
    publish(*n, std::move(changed));
  }
  return latest;
}

void registry::change_level_everywhere(handler& h) {
  clock_source clock{}; // one for all runtimes, which need not outlive the lock
  std::uint64_t latest = 0;
  {
    const std::lock_guard lock(configuration_mutex());
    for (registry* r : registries()) {
      clock = r->owner_.geometry.clock;
      latest = std::max(latest, r->change_level(h));
    }
  }
  pass(clock, latest);
}

} // namespace faultline::detail
