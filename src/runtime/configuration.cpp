#include <faultline/configuration.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "front/registry.hpp"
#include "handlers/handler_access.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/setting_text.hpp"
#include "runtime/target_text.hpp"

namespace faultline {
namespace {

using detail::parse_bool;
using detail::parse_choice;
using detail::parse_size;
using detail::parse_time;

/// A key that is an option of the runtime.
struct option_key {
  std::string_view name;
  void (*set)(runtime_options& o, std::string_view key, std::string_view value);
};

std::uint32_t parse_count(std::string_view key, std::string_view text) {
  const std::size_t count = parse_size(key, text);
  if (count > UINT32_MAX) throw configuration_error(key, text, "at most 4294967295");
  return static_cast<std::uint32_t>(count);
}

constexpr std::array option_keys{
    option_key{"argument_bytes",
               [](auto& o, auto key, auto value) { o.argument_bytes = parse_size(key, value); }},
    option_key{"buffer_bytes",
               [](auto& o, auto key, auto value) { o.buffer_bytes = parse_size(key, value); }},
    option_key{"buffers_per_thread",
               [](auto& o, auto key, auto value) { o.buffers_per_thread = parse_size(key, value); }},
    option_key{"busy_interval",
               [](auto& o, auto key, auto value) { o.busy_interval = parse_time(key, value); }},
    option_key{"clock",
               [](auto& o, auto key, auto value) {
                 o.clock = parse_choice<clock_kind>(key, value,
                                                    {{"tsc", clock_kind::tsc},
                                                     {"coarse", clock_kind::coarse},
                                                     {"scope", clock_kind::scope}});
               }},
    option_key{"drain_on_terminate",
               [](auto& o, auto key, auto value) { o.drain_on_terminate = parse_bool(key, value); }},
    option_key{"flusher",
               [](auto& o, auto key, auto value) {
                 o.flusher = parse_choice<flusher_mode>(
                     key, value, {{"thread", flusher_mode::thread}, {"spinning", flusher_mode::spinning}});
               }},
    option_key{"hold_outside_scopes",
               [](auto& o, auto key, auto value) { o.hold_outside_scopes = parse_bool(key, value); }},
    option_key{"idle_interval",
               [](auto& o, auto key, auto value) { o.idle_interval = parse_time(key, value); }},
    option_key{"last_resort", [](auto& o, auto key, auto value) { o.last_resort = parse_bool(key, value); }},
    option_key{"on_outbox_full",
               [](auto& o, auto key, auto value) {
                 o.on_outbox_full = parse_choice<outbox_policy>(
                     key, value, {{"drop", outbox_policy::drop}, {"block", outbox_policy::block}});
               }},
    option_key{"outbox_bytes",
               [](auto& o, auto key, auto value) { o.outbox_bytes = parse_size(key, value); }},
    option_key{"stats_interval",
               [](auto& o, auto key, auto value) { o.stats_interval = parse_time(key, value); }},
    option_key{"storm_burst", [](auto& o, auto key, auto value) { o.storm_burst = parse_count(key, value); }},
    option_key{"storm_dumps_per_second",
               [](auto& o, auto key, auto value) { o.storm_dumps_per_second = parse_count(key, value); }},
    option_key{"wake",
               [](auto& o, auto key, auto value) {
                 o.wake = parse_choice<wake_policy>(
                     key, value,
                     {{"under_pressure", wake_policy::under_pressure}, {"never", wake_policy::never}});
               }},
};

constexpr std::array<std::string_view, 6> other_keys{"flush_level", "flush_levels", "handlers",
                                                     "level",       "levels",       "target"};

std::string all_keys() {
  std::vector<std::string_view> names(other_keys.begin(), other_keys.end());
  for (const option_key& k : option_keys) names.push_back(k.name);
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

/// Calls `use(name, value)` for each part "NAME=VALUE" of a list.
template <class Use>
void for_each_part(std::string_view key, std::string_view list, char between, Use&& use) {
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(between));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0)
      throw configuration_error(
          key, part, std::string("each part reads LOGGER=VALUE; between parts stands a ") + between);
    use(part.substr(0, equals), part.substr(equals + 1));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
  }
}

/// A logger's name, as a runtime takes it.
std::string_view checked_logger(std::string_view key, std::string_view name) {
  if (name.empty()) return "root";
  try {
    detail::check_logger_name(name);
  } catch (const configuration_error& e) {
    throw configuration_error(key, name, e.what());
  }
  return name;
}

} // namespace

void configuration::set(std::string_view key, std::string_view value) {
  configuration changed = *this;
  changed.change(key, value);
  *this = std::move(changed);
}

void configuration::change(std::string_view key, std::string_view value) {
  for (const option_key& k : option_keys)
    if (k.name == key) {
      k.set(options_, key, value);
      (void)detail::in_range(options_);
      return;
    }
  if (key == "level") {
    levels_.root = detail::parse_level("level of root", value);
    levels_.list.erase("root");
    return;
  }
  if (key == "flush_level") {
    flush_levels_.root = detail::parse_level("flush level of root", value);
    flush_levels_.list.erase("root");
    return;
  }
  if (key == "levels") {
    levels_.list.clear();
    return for_each_part(key, value, ',', [this](auto name, auto text) { set_level(name, text); });
  }
  if (key == "flush_levels") {
    flush_levels_.list.clear();
    return for_each_part(key, value, ',', [this](auto name, auto text) { set_flush_level(name, text); });
  }
  if (key == "handlers") {
    handlers_.clear();
    return for_each_part(key, value, ';', [this](auto name, auto text) { add_handler(name, text); });
  }
  if (key != "target") throw configuration_error("key", key, "unknown; the keys are " + all_keys());
  target_ = detail::checked_target(key, value);
}

void configuration::set_level(std::string_view logger, std::string_view level) {
  levels_.list.insert_or_assign(std::string(checked_logger("levels", logger)),
                                detail::parse_level("level of " + std::string(logger), level));
}

void configuration::set_flush_level(std::string_view logger, std::string_view level) {
  flush_levels_.list.insert_or_assign(std::string(checked_logger("flush_levels", logger)),
                                      detail::parse_level("flush level of " + std::string(logger), level));
}

void configuration::add_handler(std::string_view logger, std::string_view target) {
  std::string checked = detail::checked_target("handler of " + std::string(logger), target);
  handlers_.emplace_back(checked_logger("handlers", logger), std::move(checked));
}

void configuration::read_environment(std::string_view prefix) {
  configuration changed = *this;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with(prefix)) continue;
    const std::string_view name = text.substr(0, text.find('='));
    std::string key(name.substr(prefix.size()));
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    try {
      changed.change(key, text.substr(std::min(text.size(), name.size() + 1)));
    } catch (const configuration_error& e) {
      throw configuration_error(name, e.value(), e.what());
    }
  }
  *this = std::move(changed);
}

// A handler is called by one flusher: what another runtime keeps is made anew for this one.
handler_ptr configuration::open(const std::string& target, const runtime& r) {
  using detail::handler_access;
  const void* const own = static_cast<const detail::runtime_core*>(r.core_);
  for (const auto& [text, made] : opened_)
    if (text == target && handler_access::is_kept_by(*made, own)) return made;
  for (const auto& [text, made] : opened_)
    if (text == target && handler_access::is_kept_by(*made, nullptr)) return made;
  return opened_.emplace_back(target, detail::open_target("target", target)).second;
}

void configuration::check_startable(const runtime& r) {
  static_cast<const detail::runtime_core*>(r.core_)->check_startable();
}

runtime_options configuration::options() {
  runtime_options made = options_;
  std::string target = target_;
  for (const auto& [name, text] : handlers_) // or each dumped record they passed on would be there twice
    if (target.empty() && detail::writes_to_standard_error(text)) target = text;
  if (!target.empty())
    made.default_target = opened_.emplace_back(target, detail::open_target("target", target)).second;
  return made;
}

void configuration::apply(runtime& r) {
  if (levels_.root) r.get_logger().set_level(*levels_.root);
  for (const auto& [name, l] : levels_.list) r.get_logger(name).set_level(l);
  if (flush_levels_.root) r.get_logger().set_flush_level(*flush_levels_.root);
  for (const auto& [name, l] : flush_levels_.list) r.get_logger(name).set_flush_level(l);
  for (const auto& [name, target] : handlers_) r.get_logger(name).add_handler(open(target, r));
}

runtime& start(configuration settings) {
  runtime& r = default_runtime();
  configuration::check_startable(r); // before any target is opened
  runtime_options options = settings.options();
  for (const auto& [name, target] : settings.handlers_) (void)settings.open(target, r);
  start(std::move(options));
  settings.apply(r);
  return r;
}

} // namespace faultline
