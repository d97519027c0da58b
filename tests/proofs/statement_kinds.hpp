// Every kind of statement and scope, for proofs about what a logging thread does.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <faultline/bridge.hpp>
#include <faultline/faultline.hpp>

namespace faultline::proofs {

enum class colour { red, green };

struct point {
  int x;
  double y;
};

/// Formatted at the call site, by a formatter of its own.
struct verbose {
  int value;
};

} // namespace faultline::proofs

FAULTLINE_FIELDS(faultline::proofs::point, x, y);

template <> struct fmt::formatter<faultline::proofs::verbose> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context> auto format(const faultline::proofs::verbose& v, Context& context) const {
    return fmt::format_to(context.out(), "<{}>", v.value);
  }
};

namespace faultline::proofs {

/// Loggers, targets and wrapped functions, made before the thread that uses them is watched.
class statement_kinds {
 public:
  /// Records of `pass` at INFO and above go to `passed`; scopes write to the runtime's default target.
  statement_kinds(runtime& r, const handler_ptr& passed)
      : held_(r.get_logger("held")), pass_(r.get_logger("pass")), silent_(r.get_logger("silent")),
        long_text_(4000, 'x'), target_(make_null_handler()) {
    passed->set_level(level::info);
    pass_.add_handler(passed);
    silent_.set_level(level::off);
    r.get_logger("unused").add_handler(target_); // the runtime keeps it from now on
  }

  static constexpr std::uint64_t records_in_scope = 20;

  /// One scope that succeeds, with `records_in_scope` records of all kinds of argument.
  void succeed(std::uint64_t n) const {
    const error_scope scope(held_, {.name = "succeeds", .capacity = 50});
    FAULTLINE_TRACE(held_, "below the level {}", n);
    FAULTLINE_DEBUG(silent_, "of a silent logger {}", n);
    const std::string_view text = std::string_view(long_text_).substr(0, n % 60);
    {
      const error_scope inner(held_, {.name = "inner", .flush_level = level::critical});
      FAULTLINE_DEBUG(held_, "no arguments");
      FAULTLINE_DEBUG(held_, "request {} handled {} bytes in {} us", n, static_cast<std::uint32_t>(n), 0.25);
      FAULTLINE_DEBUG(held_, "string {} of {}", text, text.size());
      FAULTLINE_DEBUG(held_, "c string {} char {} bool {}", "literal", 'c', n % 2 == 0);
      FAULTLINE_INFO(held_, "small integers {} {} {}", static_cast<std::uint8_t>(n),
                     static_cast<std::int16_t>(1), static_cast<std::int8_t>(-1));
    }
    for (int i = 0; i < 4; ++i) FAULTLINE_LOG(held_, level::debug, "level at run time {} {:>5.1f}", i, 1.5F);
    FAULTLINE_DEBUG(held_, "pointer {} enum {}", static_cast<const void*>(this),
                    static_cast<int>(colour::green));
    FAULTLINE_DEBUG(held_, "duration {} time {}", std::chrono::milliseconds(n), moment_);
    FAULTLINE_DEBUG(held_, "structure {}", point{1, 2.0});
    FAULTLINE_DEBUG(held_, "formatted here {}", verbose{static_cast<int>(n % 1000)});
    FAULTLINE_DEBUG(held_, "cut to its bound {}", long_text_);
    for (int i = 0; i < 6; ++i) FAULTLINE_DEBUG(held_, "step {} of {}", i, n);
  }

  /// A scope with all the context it can carry, of which nothing is written.
  void describe(std::uint64_t n) const {
    error_scope scope(held_, {.name = "described", .target = target_, .capacity = 8});
    scope.field("number", n).field("text", std::string_view("value")).field("half", 0.5);
    scope.trace(trace_, span_);
    scope.traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    FAULTLINE_DEBUG(held_, "described {}", n);
    if (const auto trace = current_trace()) scope.trace(trace->child());
  }

  /// Statements of which not every occurrence is a record, and faultline's own kinds of argument.
  void choose(std::uint64_t n) const {
    const error_scope scope(held_, {.name = "chosen"});
    FAULTLINE_LOG_IF(held_, level::debug, n % 2 == 0, "even {}", n);
    FAULTLINE_LOG_EVERY_N(held_, level::debug, 3, "every third {}", n);
    FAULTLINE_LOG_FIRST_N(held_, level::debug, 5, "of the first {}", n);
    FAULTLINE_LOG_EVERY(held_, level::debug, std::chrono::microseconds(50), "now and then {}", n);
    FAULTLINE_DEBUG(held_, "secret {} bytes {:oa}", secret(n), hex(long_text_));
    FAULTLINE_DEBUG(held_, "{user} took {ms:.1f}", kv<"ms">(0.5), kv<"user">(long_text_));
    const auto line = static_cast<std::uint32_t>(n % 100);
    log_text(held_, level::debug, "of another logger", {__FILE__, line, "choose", true});
    log_text(held_, level::debug, long_text_);
  }

  /// Records of the pass path: outside scopes, within one that holds them as well, and a level that nobody
  /// wants.
  void pass(std::uint64_t n) const {
    FAULTLINE_INFO(pass_, "passes {}", n);
    FAULTLINE_DEBUG(pass_, "is wanted by nobody {}", n);
    const error_scope scope(pass_, {.capacity = 4});
    FAULTLINE_WARNING(pass_, "passes and is held {}", n);
  }

  /// A scope with all that few scopes have: an expected error goes by the outbox alone; nothing is handed
  /// over.
  void expect(std::uint64_t n) const {
    const error_scope scope(held_, {.name = "special",
                                    .capacity = 4,
                                    .after_trip = trip_policy::pass_through,
                                    .pin_first = 3,
                                    .expects = [](const trip_view& v) noexcept { return v.line != 0; }});
    FAULTLINE_DEBUG(held_, "before {}", n);
    FAULTLINE_ERROR(held_, "expected {}", n);
  }

  /// One hand-over; by pointer, by copy, by a call or by a result, in turn.
  void fail(std::uint64_t n) {
    switch (n % 5) {
    case 0: {
      const error_scope scope(held_, {.name = "fails"});
      FAULTLINE_DEBUG(held_, "before failure {}", n);
      FAULTLINE_ERROR(held_, "failure {}", n);
      break;
    }
    case 1: {
      const error_scope outer(held_, {.name = "outer", .flush_level = level::off});
      const error_scope scope(held_, {.name = "fails", .capacity = 5});
      for (int i = 0; i < 10; ++i) FAULTLINE_DEBUG(held_, "before failure {} {}", n, i);
      FAULTLINE_CRITICAL(held_, "failure {}", n);
      break;
    }
    case 2: {
      error_scope scope(held_, {.name = "called"});
      scope.field("number", n);
      FAULTLINE_DEBUG(held_, "failure {}", n);
      scope.trip("asked to");
      break;
    }
    case 3: {
      const error_scope scope(held_, {.after_trip = trip_policy::pass_through, .pin_first = 2});
      FAULTLINE_ERROR(held_, "failure {}", n);
      FAULTLINE_DEBUG(held_, "passed on {}", n);
      break;
    }
    default: (void)guarded_(static_cast<int>(n));
    }
  }

  /// The wrapped function on its good path.
  void succeed_guarded(std::uint64_t n) { (void)guarded_(-static_cast<int>(n % 1000)); }

  void everything_once(std::uint64_t n) {
    succeed(n);
    describe(n);
    choose(n);
    pass(n);
    expect(n);
    succeed_guarded(n);
  }

 private:
  struct work {
    logger lg;
    int operator()(int n) const {
      FAULTLINE_DEBUG(lg, "guarded {}", n);
      return n;
    }
  };
  struct is_positive {
    bool operator()(int result) const { return result > 0; }
  };

  logger held_;
  logger pass_;
  logger silent_;
  std::string long_text_;
  handler_ptr target_;
  std::chrono::system_clock::time_point moment_ = std::chrono::system_clock::now();
  std::array<std::uint8_t, 16> trace_{1};
  std::array<std::uint8_t, 8> span_{2};
  guarded_function<work, is_positive> guarded_ =
      log_if_errors(held_, {.name = "guarded"}).fails_when(is_positive{})(work{held_});
};

} // namespace faultline::proofs
