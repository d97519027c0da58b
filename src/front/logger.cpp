#include <faultline/logger.hpp>

#include <faultline/configuration_error.hpp>
#include <faultline/handler.hpp>

#include "front/core.hpp"

namespace faultline {
namespace detail {

constinit node_head unmade_node{.threshold = level::off, .owner = &unmade_owner, .gates = {}};

} // namespace detail

namespace {

detail::registry& tree_of(const detail::node& n) noexcept { return detail::core::of(*n.owner).loggers; }

} // namespace

detail::node& logger::made() const {
  if (distance_ == 0)
    throw configuration_error("logger", "",
                              "it is used before it was made, by a static object of another file");
  return static_cast<detail::node&>(*at());
}

std::string_view logger::name() const noexcept {
  return distance_ != 0 ? std::string_view(static_cast<const detail::node&>(*at()).name) : std::string_view();
}

void logger::set_level(level l) const {
  if (l > level::off) throw configuration_error("level", std::to_string(static_cast<int>(l)), "not a level");
  tree_of(made()).set_level(made(), l);
}

void logger::set_flush_level(level l) const {
  if (l > level::off)
    throw configuration_error("flush_level", std::to_string(static_cast<int>(l)), "not a level");
  tree_of(made()).set_flush_level(made(), l);
}

void logger::inherit_flush_level() const { tree_of(made()).set_flush_level(made(), std::nullopt); }

void logger::inherit_level() const { tree_of(made()).set_level(made(), std::nullopt); }

void logger::add_handler(const std::shared_ptr<handler>& h) const {
  if (!h) throw configuration_error("handler", "null", "a logger needs a handler to add");
  detail::core::of(*made().owner).keep(*h);
  tree_of(made()).attach(made(), *h);
}

void logger::remove_handler(const std::shared_ptr<handler>& h) const {
  if (h) tree_of(made()).detach(made(), *h);
}

void logger::set_propagate(bool propagate) const { tree_of(made()).set_propagate(made(), propagate); }

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
