#include <faultline/configuration.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include <unistd.h>

#include <faultline/configuration_error.hpp>

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
    option_key{"idle_interval",
               [](auto& o, auto key, auto value) { o.idle_interval = parse_time(key, value); }},
    option_key{"on_outbox_full",
               [](auto& o, auto key, auto value) {
                 o.on_outbox_full = parse_choice<outbox_policy>(
                     key, value, {{"drop", outbox_policy::drop}, {"block", outbox_policy::block}});
               }},
    option_key{"outbox_bytes",
               [](auto& o, auto key, auto value) { o.outbox_bytes = parse_size(key, value); }},
    option_key{"storm_burst", [](auto& o, auto key, auto value) { o.storm_burst = parse_count(key, value); }},
    option_key{"storm_dumps_per_second",
               [](auto& o, auto key, auto value) { o.storm_dumps_per_second = parse_count(key, value); }},
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

} // namespace

void configuration::set(std::string_view key, std::string_view value) {
  for (const option_key& k : option_keys)
    if (k.name == key) return k.set(options_, key, value);
  if (key == "level") return set_level("root", value);
  if (key == "levels")
    return for_each_part(key, value, ',', [this](auto name, auto text) { set_level(name, text); });
  if (key == "flush_level") return set_flush_level("root", value);
  if (key == "flush_levels")
    return for_each_part(key, value, ',', [this](auto name, auto text) { set_flush_level(name, text); });
  if (key == "handlers") {
    handlers_.clear();
    return for_each_part(key, value, ';', [this](auto name, auto text) { add_handler(name, text); });
  }
  if (key != "target") throw configuration_error("key", key, "unknown; the keys are " + all_keys());
  detail::check_target(key, value);
  target_ = value;
}

void configuration::set_level(std::string_view logger, std::string_view level) {
  levels_.insert_or_assign(std::string(logger),
                           detail::parse_level("level of " + std::string(logger), level));
}

void configuration::set_flush_level(std::string_view logger, std::string_view level) {
  flush_levels_.insert_or_assign(std::string(logger),
                                 detail::parse_level("flush level of " + std::string(logger), level));
}

void configuration::add_handler(std::string_view logger, std::string_view target) {
  detail::check_target("handler of " + std::string(logger), target);
  handlers_.emplace_back(logger, target);
}

void configuration::read_environment(std::string_view prefix) {
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with(prefix)) continue;
    const std::string_view name = text.substr(0, text.find('='));
    std::string key(name.substr(prefix.size()));
    std::transform(key.begin(), key.end(), key.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    try {
      set(key, text.substr(std::min(text.size(), name.size() + 1)));
    } catch (const configuration_error& e) {
      throw configuration_error(name, e.value(), e.what());
    }
  }
}

handler_ptr configuration::open(const std::string& target) {
  handler_ptr& made = opened_[target];
  if (!made) made = detail::open_target("target", target);
  return made;
}

runtime_options configuration::options() {
  runtime_options made = options_;
  if (!target_.empty()) made.default_target = open(target_);
  return made;
}

void configuration::apply(runtime& r) {
  for (const auto& [name, l] : levels_) r.get_logger(name).set_level(l);
  for (const auto& [name, l] : flush_levels_) r.get_logger(name).set_flush_level(l);
  for (const auto& [name, target] : handlers_) r.get_logger(name).add_handler(open(target));
}

runtime& start(configuration settings) {
  runtime& r = start(settings.options());
  settings.apply(r);
  return r;
}

} // namespace faultline
