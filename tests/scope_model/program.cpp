#include "scope_model/program.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace faultline::scope_model {
namespace {

std::string_view name(level l) {
  constexpr std::array<std::string_view, 7> names{"trace", "debug",    "info", "warning",
                                                  "error", "critical", "off"};
  return names[static_cast<std::size_t>(l)];
}

/// Prints steps one after another and knows which scopes there are.
class printer {
 public:
  [[nodiscard]] std::string line(const step& s) {
    const std::string lg = fmt::format("get(\"{}\")", logger_names[s.logger]);
    switch (s.what) {
    case verb::log:
      return fmt::format("{}({}, {}, \"{}\"{})", s.flag ? "LOG_AT" : "LOG", lg, name(s.at),
                         message_of(++statements_, 0),
                         s.number == 0 ? "" : fmt::format(" + {} dots", s.number));
    case verb::begin: return begin(s, lg);
    case verb::end: return with_scope(s, "end({})", true);
    case verb::unwind: return unwind(s.number);
    case verb::tell: ++statements_; return with_scope(s, "throw_out_of_log_if_errors({})", true);
    case verb::trip: return with_scope(s, fmt::format("{{}}.trip(\"{}\")", reason_of(++trips_)), false);
    case verb::fail: return with_scope(s, "{}.fail_by_result()", false);
    case verb::set_level: return fmt::format("{}.set_level({})", lg, name(s.at));
    case verb::inherit_level: return lg + ".inherit_level()";
    case verb::propagate: return fmt::format("if (no scope is open) {}.set_propagate({})", lg, s.flag);
    case verb::attach: return fmt::format("{}.add_handler(h{})", lg, s.handler);
    case verb::detach: return fmt::format("{}.remove_handler(h{})", lg, s.handler);
    case verb::handler_level: return fmt::format("h{}.set_level({})", s.handler, name(s.at));
    case verb::run_once: return "run_once()";
    }
    return {};
  }

 private:
  std::string begin(const step& s, const std::string& lg) {
    scopes_.push_back(++begun_);
    return fmt::format("error_scope s{}({}, {{{}.target = h{}, .flush_level = {}, .capacity = {}{}}})",
                       begun_, lg, s.named ? fmt::format(".name = \"{}\", ", name_of_scope(begun_)) : "",
                       s.handler, name(s.at), s.number, s.flag ? ", .on_full = flush" : "");
  }
  std::string with_scope(const step& s, std::string_view pattern, bool ends) {
    if (s.scope >= scopes_.size()) return "nothing()";
    const auto at = scopes_.end() - 1 - static_cast<std::ptrdiff_t>(s.scope);
    std::string text = fmt::format(fmt::runtime(pattern), fmt::format("s{}", *at));
    if (ends) scopes_.erase(at);
    return text;
  }
  std::string unwind(std::size_t wanted) {
    std::string text = "throw_out_of(";
    for (std::size_t i = std::min({wanted, most_unwound, scopes_.size()}); i > 0; --i) {
      text += fmt::format("s{}{}", scopes_.back(), i > 1 ? ", " : "");
      scopes_.pop_back();
    }
    return text + ")";
  }

  std::vector<std::size_t> scopes_;
  std::size_t begun_ = 0;
  std::size_t statements_ = 0;
  std::size_t trips_ = 0;
};

} // namespace

std::string message_of(std::size_t number, std::size_t longer) {
  return fmt::format("m{}{}", number, std::string(longer, '.'));
}

std::string name_of_scope(std::size_t number) {
  return fmt::format("s{}{}", number, std::string(number % 7 == 0 ? 70 : 0, '-'));
}

std::string reason_of(std::size_t number) {
  return fmt::format("reason {}{}", number, std::string(number % 5 == 0 ? 70 : 0, '-'));
}

std::string text_of(const program& p) {
  constexpr std::array<std::string_view, 3> clocks{"tsc", "coarse", "scope"};
  std::string text = fmt::format("// seed {}, {} steps, clock_kind::{}{}{}\n", p.seed, p.steps.size(),
                                 clocks[static_cast<std::size_t>(p.clock)], p.roomy ? "" : ", small buffers",
                                 p.storms ? ", storms" : "");
  printer lines;
  for (const step& s : p.steps) text += lines.line(s) + ";\n";
  return text;
}

} // namespace faultline::scope_model
