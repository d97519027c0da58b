#include "front/registry.hpp"

#include <algorithm>

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
  // Stays that ended long ago matter to no record that is still in an outbox: those that ended first go.
  const auto has_ended = [](const attachment& a) { return a.until != attachment::no_end; };
  const auto ended_earlier = [](const attachment& a, const attachment& b) { return a.until < b.until; };
  while (static_cast<std::size_t>(std::count_if(changed.begin(), changed.end(), has_ended)) > most_remembered)
    changed.erase(std::min_element(changed.begin(), changed.end(), ended_earlier)); // no_end is the greatest
  lists_.push_back(std::make_unique<attachment_list>(std::move(changed)));
  n.attachments.store(lists_.back().get(), std::memory_order_release);
}

bool serves(const node& logger, const handler* target, level l, std::uint32_t version) noexcept {
  bool found = false;
  for_each_stay(logger, [&](const attachment& a) {
    found = found || (a.target == target && a.holds(version) && l >= a.threshold);
  });
  return found;
}

/// The lists of the next version are published: from now on it is the present one. A record of a version is
/// judged by lists that may be of later ones, where each stay says which versions it holds for.
void registry::begin_version() noexcept {
  version_.store(next_version(), std::memory_order_release);
  refresh();
}

void registry::attach(node& n, handler& target) {
  const std::lock_guard lock(configuration_mutex());
  const auto* present = n.attachments.load(std::memory_order_relaxed);
  attachment_list changed = present != nullptr ? *present : attachment_list{};
  const auto same = [&](const attachment& a) { return a.target == &target && a.until == attachment::no_end; };
  if (std::any_of(changed.begin(), changed.end(), same)) return;
  changed.push_back({&target, target.threshold(), next_version(), attachment::no_end});
  publish(n, std::move(changed));
  begin_version();
}

void registry::detach(node& n, handler& target) {
  const std::lock_guard lock(configuration_mutex());
  const auto* present = n.attachments.load(std::memory_order_relaxed);
  if (present == nullptr) return;
  attachment_list changed = *present;
  for (attachment& a : changed)
    if (a.target == &target && a.until == attachment::no_end) a.until = next_version();
  publish(n, std::move(changed));
  begin_version();
}

void registry::refresh(node& n) noexcept {
  level_mask mask = 0;
  if (const auto* list = n.attachments.load(std::memory_order_relaxed))
    for (const attachment& a : *list)
      if (a.until == attachment::no_end) mask = static_cast<level_mask>(mask | bits_from(a.threshold));
  if (const node* up = n.up())
    mask = static_cast<level_mask>(mask | up->pass_mask.load(std::memory_order_relaxed));
  const level own = n.own_level           ? *n.own_level
                    : n.parent != nullptr ? n.parent->threshold.load(std::memory_order_relaxed)
                                          : level::debug;
  const level_mask flush = n.own_flush_level     ? bits_from(*n.own_flush_level)
                           : n.parent != nullptr ? n.parent->flush_mask.load(std::memory_order_relaxed)
                                                 : bits_from(scope_options::default_flush_level);
  n.pass_mask.store(mask, std::memory_order_relaxed);
  // Of errors each cursor's mask takes care (base_mask_of); what a logger counts among them besides takes the
  // slow path as well, whoever's scopes are open.
  const auto slow = static_cast<level_mask>(mask | (flush & ~bits_from(level::error)));
  for (std::size_t l = 0; l < n.gates.size(); ++l)
    n.gates[l].open_for(*n.owner, (slow & bit_of(static_cast<level>(l))) != 0);
  n.threshold.store(own, std::memory_order_relaxed);
  n.flush_mask.store(flush, std::memory_order_relaxed);
}

void registry::refresh() noexcept {
  for (const auto& n : nodes_) refresh(*n);
}

void registry::change_level(handler& h) {
  bool any = false;
  for (const auto& n : nodes_) {
    const auto* present = n->attachments.load(std::memory_order_relaxed);
    if (present == nullptr) continue;
    const auto stays = [&](const attachment& a) { return a.target == &h && a.until == attachment::no_end; };
    if (std::none_of(present->begin(), present->end(), stays)) continue;
    attachment_list changed = *present;
    for (attachment& a : changed)
      if (stays(a)) a.until = next_version();
    changed.push_back({&h, h.threshold(), next_version(), attachment::no_end});
    publish(*n, std::move(changed));
    any = true;
  }
  if (any) begin_version();
}

void registry::change_level_everywhere(handler& h) {
  const std::lock_guard lock(configuration_mutex());
  for (registry* r : registries()) r->change_level(h);
}

} // namespace faultline::detail
