#include "scope_model/generator.hpp"

#include <array>
#include <initializer_list>
#include <utility>

#include "support/dice.hpp"

namespace faultline::scope_model {
namespace {

class generator {
 public:
  explicit generator(std::uint64_t seed)
      : dice_(seed), loggers_(2 + dice_.below(logger_names.size() - 1)), deep_(dice_.percent(4)),
        handlers_(deep_ ? most_handlers : 1 + dice_.below(5)), full_(dice_.percent(10)),
        quiet_(dice_.percent(full_ ? 80 : 30)), brief_(dice_.percent(30)), special_(dice_.percent(60)) {
    program_.seed = seed;
    program_.roomy = seed % 4 != 3;
    program_.storms = !program_.roomy && dice_.percent(30);
    program_.clock = static_cast<clock_kind>(dice_.below(3));
    program_.holds_outside = dice_.percent(20);
    bare_ = program_.holds_outside && !deep_ && dice_.percent(15);
    pinning_ = !program_.roomy && special_ && !bare_ && !deep_ && dice_.percent(35);
    quiet_ = quiet_ || bare_ || pinning_;
    changes_handlers_ = seed % 64 == 0;
  }

  program make() {
    set_up();
    const std::size_t length = bare_               ? 200
                               : deep_ || pinning_ ? 120
                                                   : 5 + dice_.below(program_.roomy ? 50 : 150);
    for (std::size_t i = 0; i < length; ++i) program_.steps.push_back(next());
    return std::move(program_);
  }

 private:
  /// Handlers at loggers, levels; free while the runtime has not begun.
  void set_up() {
    for (std::uint64_t n = dice_.below(4); n > 0; --n) program_.steps.push_back(some(verb::attach));
    for (std::uint64_t n = dice_.below(3); n > 0; --n) program_.steps.push_back(some(verb::handler_level));
    if (bare_) return;
    for (std::uint64_t n = dice_.below(3); n > 0; --n) program_.steps.push_back(some(verb::set_level));
    if (dice_.percent(20)) program_.steps.push_back(some(verb::propagate));
  }

  step next() {
    if (changes_handlers_ && dice_.percent(8))
      return some(choose<verb>({{verb::attach, 2}, {verb::detach, 2}, {verb::handler_level, 1}}));
    if (bare_ || pinning_)
      return some(choose<verb>({{verb::log, 90},
                                {verb::begin, pinning_ ? 3U : 1U},
                                {verb::end, 3},
                                {verb::run_once, pinning_ ? 6U : 1U}}));
    return some(choose<verb>({{verb::log, 60},
                              {verb::begin, deep_ ? 50U : 12U},
                              {verb::end, deep_ ? 3U : 8U},
                              {verb::unwind, 3},
                              {verb::tell, 2},
                              {verb::trip, 3},
                              {verb::fail, 1},
                              {verb::set_level, 2},
                              {verb::inherit_level, 1},
                              {verb::propagate, 1},
                              {verb::run_once, 6},
                              {verb::pass_time, special_ ? 6U : 0U}}));
  }

  /// One of these, by weight.
  template <class T> T choose(std::initializer_list<std::pair<T, unsigned>> of) {
    std::uint64_t sum = 0;
    for (const auto& [what, weight] : of) sum += weight;
    std::uint64_t at = sum != 0 ? dice_.below(sum) : 0;
    for (const auto& [what, weight] : of) {
      if (at < weight) return what;
      at -= weight;
    }
    return {};
  }

  step some(verb what) {
    step s;
    s.what = what;
    s.logger = dice_.below(loggers_);
    s.handler = dice_.below(handlers_);
    switch (what) {
    case verb::log:
      s.at = choose<level>({{level::trace, 5},
                            {level::debug, 45},
                            {level::info, 25},
                            {level::warning, quiet_ ? 3U : 12U},
                            {level::error, pinning_ ? 3U
                                           : quiet_ ? 1U
                                                    : 10U},
                            {level::critical, quiet_ ? 0U : 3U}});
      s.number = dice_.below(program_.roomy ? (dice_.percent(75) ? 20 : 80) : brief_ ? 20 : 400);
      s.flag = dice_.percent(50);
      break;
    case verb::begin:
      s.at = choose<level>({{level::error, 60},
                            {level::critical, 15},
                            {level::warning, 15},
                            {level::off, 4},
                            {level::info, 4},
                            {level::debug, 1},
                            {level::trace, 1}});
      s.number = std::array<std::size_t, 7>{1, 2, 3, 4, 5, 10, 100}[dice_.below(7)];
      s.flag = full_ || dice_.percent(30);
      if (full_ && dice_.percent(50)) s.number = 100; // more than a small buffer holds
      s.named = dice_.percent(60);
      if (special_) add_what_few_have(s);
      if (pinning_ && dice_.percent(60)) pin_alone(s);
      break;
    case verb::tell: s.flag = dice_.percent(25); break;
    case verb::pass_time: s.number = 1 + dice_.below(3); break;
    case verb::unwind: s.number = 1 + dice_.below(dice_.percent(20) ? most_unwound : 2); break;
    case verb::set_level:
    case verb::handler_level:
      s.at = choose<level>({{level::trace, 15},
                            {level::debug, 25},
                            {level::info, 25},
                            {level::warning, 20},
                            {level::error, 10},
                            {level::critical, 3},
                            {level::off, 2}});
      break;
    case verb::propagate: s.flag = dice_.percent(40); break;
    default: break;
    }
    if (dice_.percent(25)) s.scope = dice_.below(4); // out of order, or nothing
    return s;
  }

  void add_what_few_have(step& s) {
    s.passes_through = dice_.percent(25);
    if (dice_.percent(pinning_ ? 70 : 25)) s.pin_first = 1 + dice_.below(4);
    if (dice_.percent(25)) s.budget_ms = 1 + dice_.below(4);
    if (dice_.percent(30))
      s.expects = static_cast<expected_errors>(
          1 + dice_.below(static_cast<std::uint64_t>(expected_errors::count) - 1));
  }

  /// A scope that sees all, forgets, and writes its first records for the next error.
  void pin_alone(step& s) {
    s.logger = 0;
    s.at = level::error;
    s.flag = s.passes_through = false;
    s.expects = expected_errors::none;
    s.pin_first = 1 + dice_.below(3);
  }

  test::dice dice_;
  std::size_t loggers_;
  bool deep_; ///< many scopes, over many targets
  std::size_t handlers_;
  bool full_;            ///< all scopes write when they are full
  bool quiet_;           ///< few records trip
  bool brief_;           ///< short texts in small buffers
  bool special_;         ///< some scopes have options that few have
  bool pinning_ = false; ///< long scopes in small buffers, most of which pin their first records
  bool bare_ = false;    ///< many records outside scopes
  bool changes_handlers_ = false;
  program program_;
};

} // namespace

program generate(std::uint64_t seed) { return generator(seed).make(); }

} // namespace faultline::scope_model
