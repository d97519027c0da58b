#include "scope_model/program.hpp"

#include <algorithm>
#include <stdexcept>
#include <typeinfo>

#include <fmt/format.h>

namespace faultline::scope_model {
namespace {

std::string_view name(level l) {
  constexpr std::array<std::string_view, 7> names{"trace", "debug",    "info", "warning",
                                                  "error", "critical", "off"};
  return names[static_cast<std::size_t>(l)];
}

std::string_view name(expected_errors e) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(expected_errors::count)> names{
      "none", "all", "below_critical", "of_a_b", "escaping", "runtime_errors", "call_failed"};
  return names[static_cast<std::size_t>(e)];
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
    case verb::tell:
      ++statements_;
      return with_scope(s, fmt::format("throw_{}out_of_log_if_errors({{}})", s.flag ? "expected_" : ""),
                        true);
    case verb::trip: return with_scope(s, fmt::format("{{}}.trip(\"{}\")", reason_of(++trips_)), false);
    case verb::fail: return with_scope(s, "{}.fail_by_result()", false);
    case verb::set_level: return fmt::format("{}.set_level({})", lg, name(s.at));
    case verb::inherit_level: return lg + ".inherit_level()";
    case verb::propagate: return fmt::format("if (nothing is held) {}.set_propagate({})", lg, s.flag);
    case verb::attach: return fmt::format("{}.add_handler(h{})", lg, s.handler);
    case verb::detach: return fmt::format("{}.remove_handler(h{})", lg, s.handler);
    case verb::handler_level: return fmt::format("h{}.set_level({})", s.handler, name(s.at));
    case verb::run_once: return "run_once()";
    case verb::pass_time: return fmt::format("pass_time({}ms)", s.number);
    }
    return {};
  }

 private:
  std::string begin(const step& s, const std::string& lg) {
    scopes_.push_back(++begun_);
    return fmt::format("error_scope s{}({}, {{{}.target = h{}, .flush_level = {}, .capacity = {}{}{}}})",
                       begun_, lg, s.named ? fmt::format(".name = \"{}\", ", name_of_scope(begun_)) : "",
                       s.handler, name(s.at), s.number, s.flag ? ", .on_full = flush" : "", few_have(s));
  }
  /// Options that few scopes have.
  static std::string few_have(const step& s) {
    std::string text = s.passes_through ? ", .after_trip = pass_through" : "";
    if (s.pin_first != 0) text += fmt::format(", .pin_first = {}", s.pin_first);
    if (s.budget_ms != 0) text += fmt::format(", .budget = {}.5ms", s.budget_ms);
    if (s.expects != expected_errors::none) text += fmt::format(", .expects = {}", name(s.expects));
    return text;
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

faultline::expectation predicate_of(expected_errors which) {
  switch (which) {
  case expected_errors::all: return [](const trip_view&) noexcept { return true; };
  case expected_errors::below_critical:
    return [](const trip_view& v) noexcept { return v.level < level::critical; };
  case expected_errors::of_a_b:
    return [](const trip_view& v) noexcept { return v.logger == "a.b" || v.logger.starts_with("a.b."); };
  case expected_errors::escaping: return [](const trip_view& v) noexcept { return v.exception_escapes; };
  case expected_errors::runtime_errors:
    return [](const trip_view& v) noexcept {
      return v.exception_type != nullptr && *v.exception_type == typeid(std::runtime_error);
    };
  case expected_errors::call_failed:
    return [](const trip_view& v) noexcept { return v.format == "call failed"; };
  case expected_errors::none:
  case expected_errors::count: break;
  }
  return nullptr;
}

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
  std::string text = fmt::format("// seed {}, {} steps, clock_kind::{}{}{}{}\n", p.seed, p.steps.size(),
                                 clocks[static_cast<std::size_t>(p.clock)], p.roomy ? "" : ", small buffers",
                                 p.storms ? ", storms" : "", p.holds_outside ? ", hold_outside_scopes" : "");
  printer lines;
  for (const step& s : p.steps) text += lines.line(s) + ";\n";
  return text;
}

} // namespace faultline::scope_model
