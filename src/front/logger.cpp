#include <faultline/logger.hpp>

#include <faultline/configuration_error.hpp>
#include <faultline/handler.hpp>

#include "front/core.hpp"

namespace faultline {
namespace {

detail::node& full(detail::node_head* head) noexcept { return static_cast<detail::node&>(*head); }
detail::core& core_of(const detail::node_head* head) noexcept { return detail::core::of(*head->owner); }

} // namespace

std::string_view logger::name() const noexcept { return full(node_).name; }

void logger::set_level(level l) const {
  if (l > level::off) throw configuration_error("level", std::to_string(static_cast<int>(l)), "not a level");
  core_of(node_).loggers.set_level(full(node_), l);
}

void logger::set_flush_level(level l) const {
  if (l > level::off)
    throw configuration_error("flush_level", std::to_string(static_cast<int>(l)), "not a level");
  core_of(node_).loggers.set_flush_level(full(node_), l);
}

void logger::inherit_flush_level() const {
  core_of(node_).loggers.set_flush_level(full(node_), std::nullopt);
}

void logger::inherit_level() const { core_of(node_).loggers.set_level(full(node_), std::nullopt); }

void logger::add_handler(const std::shared_ptr<handler>& h) const {
  if (!h) throw configuration_error("handler", "null", "a logger needs a handler to add");
  core_of(node_).keep(*h);
  core_of(node_).loggers.attach(full(node_), *h);
}

void logger::remove_handler(const std::shared_ptr<handler>& h) const {
  if (h) core_of(node_).loggers.detach(full(node_), *h);
}

void logger::set_propagate(bool propagate) const {
  core_of(node_).loggers.set_propagate(full(node_), propagate);
}

level parse_level(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(level::off); ++i) {
    const auto candidate = static_cast<level>(i);
    const std::string_view capitals = to_string(candidate);
    bool same = name == capitals;
    if (!same && name.size() == capitals.size()) {
      same = true;
      for (std::size_t k = 0; k < name.size(); ++k)
        same = same && name[k] == static_cast<char>(capitals[k] | 0x20);
    }
    if (same) return candidate;
  }
  throw configuration_error("level", name, "expected trace, debug, info, warning, error, critical or off");
}

} // namespace faultline
