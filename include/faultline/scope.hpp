// Error scopes: records are held, and written only if the work fails.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <faultline/detail/cursor.hpp>
#include <faultline/detail/encode.hpp>
#include <faultline/export.hpp>
#include <faultline/level.hpp>
#include <faultline/logger.hpp>
#include <faultline/trace.hpp>

// A program's own globals may have the names of parameters here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

namespace faultline {

/// What a scope does when it holds `capacity` records.
enum class full_policy : std::uint8_t {
  drop_oldest, ///< forgets its oldest record
  flush,       ///< writes what it holds, error or not, as Python's MemoryHandler
};

/// What a scope does after a trip.
enum class trip_policy : std::uint8_t {
  resume,       ///< holds again
  pass_through, ///< what it sees from then on is written at once, record by record, until the scope ends
};

/// A reference to a handler as scopes take it: from any `shared_ptr` to a handler. It keeps the
/// handler alive only if no runtime does, so that copying one costs nothing on the hot path; options that are
/// stored must not outlive the runtimes that their target was used with.
class FAULTLINE_API handler_ref {
 public:
  handler_ref() noexcept = default;
  /// Refers to `h`; null is no target. Copies the pointer only if no runtime keeps the handler.
  template <class Handler>
  requires std::is_convertible_v<Handler*, handler*> handler_ref(const std::shared_ptr<Handler>& h)
      : handler_(h.get()) {
    if (handler_ != nullptr) keep_unless_kept();
  }
  /// No target: the runtime's default one.
  handler_ref(std::nullptr_t) noexcept {}

  /// The handler, or null.
  [[nodiscard]] handler* get() const noexcept { return handler_; }

 private:
  void keep_unless_kept();

  handler* handler_ = nullptr;
  std::shared_ptr<handler> owner_; // set only while no runtime keeps the handler
};

/// A record that is about to trip a scope. The texts are good during the call. The arguments are not part of
/// it: they are formatted later, on another thread.
struct trip_view {
  faultline::level level = faultline::level::error; ///< the record's
  std::string_view logger;                          ///< dotted name, "root" for the root logger
  std::string_view format;        ///< as written in the statement; "call failed" for an escaping exception
  std::string_view file;          ///< where the statement stands
  std::string_view function;      ///< the function it is in
  std::uint32_t line = 0;         ///< its line
  bool exception_escapes = false; ///< the record is `call failed`
  /// That exception's type; null where it is not known: only log_if_errors knows it.
  const std::type_info* exception_type = nullptr;
};

/// Whether such a record is an error that was to be expected. It runs on the logging thread, within the
/// statement: it should be quick and must not wait; what it logs itself is lost and counted.
using expectation = bool (*)(const trip_view&) noexcept;

/// How a scope behaves. Checked when the scope is entered; a wrong value throws `configuration_error`.
struct scope_options {
  static constexpr level default_flush_level = level::error; ///< as Python's MemoryHandler
  static constexpr std::size_t default_capacity = 100;       ///< records

  std::string_view name = {};              ///< shown with every record it writes; copied, cut at 63 bytes
  handler_ref target = {};                 ///< default: the runtime's default target
  level flush_level = default_flush_level; ///< records at it or above trip the scope; `off`: none does. The
                                           ///< default stands for the logger's, see logger::set_flush_level
  std::size_t capacity = default_capacity; ///< records; not zero
  full_policy on_full = full_policy::drop_oldest; ///< what happens at `capacity`
  trip_policy after_trip = trip_policy::resume;   ///< what becomes of later records once it tripped
  std::size_t pin_first = 0;            ///< so many first records are written besides the last `capacity`
  std::chrono::nanoseconds budget = {}; ///< a scope that takes longer is written as "slow"; zero: no budget
  /// Errors for which it returns true do not trip the scope: the target gets them at once, alone. Null: none.
  expectation expects = nullptr;
};

namespace detail {

struct scope_settings;

/// Appends `key` and one encoded value to the scope's context; one that does not fit is left out and counted.
FAULTLINE_API void add_field(thread_slot& slot, unsigned index, std::string_view key, const char* code,
                             const std::byte* value, std::size_t bytes) noexcept;

inline constexpr std::size_t field_value_bytes = 96;

} // namespace detail

/// Holds the records that its thread logs to its logger and the logger's descendants, from its construction
/// to its destruction, and writes them if the work fails: see scope_options for when. It belongs to the
/// thread and the block that made it. Entering and leaving allocate nothing, take no lock and make no system
/// call; a thread's first use of faultline attaches it, which does all three.
///
/// Scopes nest up to 32 deep on a thread and over up to 8 different targets; one beyond that holds nothing
/// and is counted (runtime_stats::scopes_refused). One that ends out of order or on another thread is counted
/// and abandoned.
class FAULTLINE_API error_scope {
 public:
  /// Throws `configuration_error` for a wrong option; nothing else.
  [[nodiscard]] error_scope(logger lg, const scope_options& options);
  /// With the default options of scope_options.
  [[nodiscard]] explicit error_scope(logger lg);
  error_scope(const error_scope&) = delete;
  error_scope& operator=(const error_scope&) = delete;
  /// Leaves the scope. When an exception is leaving the block, `call failed` is logged at ERROR first.
  ~error_scope();

  /// Writes what the scope holds now, with `reason` (cut to 63 bytes, of which the last are "[...]") in the
  /// envelope. Holding nothing, it writes nothing, nor the reason: that is the rule for a scope that passes
  /// through already.
  void trip(std::string_view reason) noexcept;

  /// Adds a key and a value to the scope's context. Keys and values of one scope share 200 bytes; a field
  /// without room is left out and the envelope counts it. A text longer than 92 bytes is cut and ends with
  /// "[...]". Any type that may be logged raw.
  template <class T>
  requires detail::raw_argument<T> error_scope& field(std::string_view key, const T& value) noexcept {
    using wire_type = detail::wire_t<T>;
    std::byte bytes[detail::field_value_bytes];
    auto wire = detail::to_wire(value);
    std::size_t left = sizeof bytes - 4;
    static_assert(detail::code_of<wire_type>::bytes <= sizeof bytes, "a field's value is at most 96 bytes");
    detail::fit(wire, left, left);
    const std::byte* end = detail::put(bytes, wire);
    if (active())
      detail::add_field(*slot_, index_, key, detail::signature<wire_type>::codes.data, bytes,
                        static_cast<std::size_t>(end - bytes));
    return *this;
  }

  /// Sets the W3C trace id and span id (Trace Context, https://www.w3.org/TR/trace-context/).
  error_scope& trace(const std::array<std::uint8_t, 16>& trace_id,
                     const std::array<std::uint8_t, 8>& span_id) noexcept;
  /// The same. See <faultline/trace.hpp> for making ids, and for asking which ones are in force.
  error_scope& trace(const trace_context& ids) noexcept { return trace(ids.trace_id, ids.span_id); }
  /// The same from a `traceparent` header's value. False, and nothing changes, when it is not a valid one.
  bool traceparent(std::string_view header) noexcept;

  /// For log_if_errors: logs `call failed` with the exception being handled, or, when it is one of those
  /// expected, `call failed as expected` at INFO. The destructor then logs nothing more. Nothing is logged
  /// for a thread that is cancelled or ends by pthread_exit.
  void fail_with_current_exception(bool (*is_expected)() noexcept = nullptr) noexcept;
  /// Trips because the predicate on the result said so.
  void fail_by_result() noexcept;

 private:
  [[nodiscard]] bool is_here() const noexcept; // on the thread that entered it
  [[nodiscard]] bool active() const noexcept;  // and still in that thread's table
  void enter(const detail::scope_settings& settings) noexcept;
  void enter_slowly(const detail::scope_settings& settings) noexcept;
  void place(detail::thread_slot& slot, detail::cursor& c, std::size_t index, std::uint32_t serial,
             handler& target, std::uint8_t target_bit, std::uint8_t traits,
             const detail::scope_settings& settings) noexcept;
  void leave() noexcept;
  void leave_elsewhere() noexcept;

  detail::thread_slot* slot_ = nullptr; // null: refused
  const detail::node_head* node_;
  std::uint32_t index_ = 0;
  std::uint32_t serial_ = 0;
  unsigned uncaught_ = 0;
  bool told_ = false; // `call failed` was logged, or is not to be
};

#ifdef __cpp_exceptions
/// The default predicate: no result is a failure.
struct never_fails {
  /// False.
  template <class Result> constexpr bool operator()(const Result&) const noexcept { return false; }
};

/// The types of exceptions that are no failures: see scope_decorator::expects.
template <class... Exceptions> struct expected_exceptions {
  /// These and more.
  template <class... More> using with = expected_exceptions<Exceptions..., More...>;

  /// Whether the exception being handled is one of them, or derives from one.
  static bool has_current() noexcept { return (is_current<Exceptions>() || ...); }

 private:
  template <class Exception> static bool is_current() noexcept {
    try {
      throw;
    } catch (const Exception&) {
      return true;
    } catch (...) {
      return false;
    }
  }
};

/// A function wrapped by log_if_errors: called with the function's arguments, it returns the function's
/// result, and runs it in an error scope. What the function throws is logged with its type and what() and
/// thrown on.
template <class F, class Predicate, class Expected = expected_exceptions<>> class guarded_function {
 public:
  /// For scope_decorator, which has checked the options.
  guarded_function(logger lg, scope_options options, std::string name, Predicate predicate, F f)
      : logger_(lg), options_(std::move(options)), name_(std::move(name)), predicate_(std::move(predicate)),
        f_(std::move(f)) {}

  /// Calls the function in a scope. Any thread, as far as the function allows it.
  template <class... Args> decltype(auto) operator()(Args&&... args) {
    return run(f_, std::forward<Args>(args)...);
  }
  /// The same of a constant.
  template <class... Args> decltype(auto) operator()(Args&&... args) const {
    return run(f_, std::forward<Args>(args)...);
  }

 private:
  template <class G, class... Args> decltype(auto) run(G& g, Args&&... args) const {
    scope_options options = options_;
    options.name = name_;
    error_scope scope(logger_, options);
    try {
      using result_type = decltype(g(std::forward<Args>(args)...));
      if constexpr (std::is_void_v<result_type>) {
        g(std::forward<Args>(args)...);
      } else if constexpr (std::is_reference_v<result_type>) {
        result_type result = g(std::forward<Args>(args)...);
        if (predicate_(std::as_const(result))) scope.fail_by_result();
        return static_cast<result_type>(result);
      } else {
        auto result = g(std::forward<Args>(args)...);
        if (predicate_(std::as_const(result))) scope.fail_by_result();
        return result;
      }
    } catch (...) {
      scope.fail_with_current_exception(&Expected::has_current);
      throw;
    }
  }

  logger logger_;
  scope_options options_; // without the name, which `name_` owns
  std::string name_;
  Predicate predicate_;
  F f_;
};

/// Makes guarded functions: see log_if_errors.
template <class Predicate = never_fails, class Expected = expected_exceptions<>> class scope_decorator {
 public:
  /// For log_if_errors, which checks the options.
  scope_decorator(logger lg, scope_options options, Predicate predicate = {})
      : logger_(lg), name_(options.name), options_(std::move(options)), predicate_(std::move(predicate)) {}

  /// Wraps `f`, which is moved or copied into the result.
  template <class F> [[nodiscard]] auto operator()(F f) const {
    return guarded_function<F, Predicate, Expected>(logger_, options_, name_, predicate_, std::move(f));
  }

  /// Results for which `predicate(result)` is true are failures too: the scope is written, and the result
  /// returned.
  template <class P> [[nodiscard]] auto fails_when(P predicate) const {
    scope_options options = options_;
    options.name = name_;
    return scope_decorator<P, Expected>(logger_, std::move(options), std::move(predicate));
  }

  /// Exceptions of these types, and of types derived from them, are no failures: they are logged as
  /// `call failed as expected` at INFO, which as such writes no scope, and thrown on. Further calls add
  /// types.
  template <class... Exceptions> [[nodiscard]] auto expects() const {
    scope_options options = options_;
    options.name = name_;
    using all = typename Expected::template with<Exceptions...>;
    return scope_decorator<Predicate, all>(logger_, std::move(options), predicate_);
  }

 private:
  logger logger_;
  std::string name_;
  scope_options options_;
  Predicate predicate_;
};

namespace detail {
/// Throws `configuration_error` for options that no scope can have.
void check(const scope_options& options);
/// The same, and has the logger's runtime keep the target.
FAULTLINE_API void adopt(logger lg, const scope_options& options);
} // namespace detail

/// The recipe's decorator: `auto careful = log_if_errors(lg, {.capacity = 50})(function);`. Throws
/// `configuration_error` for a wrong option here, not at the calls, and for a logger that is not made yet.
/// Not there where the program is compiled without exceptions.
[[nodiscard]] inline scope_decorator<> log_if_errors(logger lg, scope_options options = {}) {
  detail::adopt(lg, options);
  return {lg, std::move(options)};
}
#else
/// Catches what a function throws: it is not there where there is nothing to catch.
void log_if_errors(logger lg, scope_options options = {}) __attribute__((
    unavailable("log_if_errors needs exceptions, and this is compiled with -fno-exceptions: use "
                "error_scope, and trip() where the work fails")));
#endif

} // namespace faultline

#pragma GCC diagnostic pop
