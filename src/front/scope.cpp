#include <faultline/scope.hpp>

#include <algorithm>
#include <typeinfo>

#include <cxxabi.h>

#include <faultline/configuration_error.hpp>
#include <faultline/detail/statement.hpp>
#include <faultline/detail/story.hpp>
#include <faultline/handler.hpp>

#include "base/fork_guard.hpp"
#include "base/test_point.hpp"
#include "front/core.hpp"
#include "front/trip.hpp"
#include "handlers/handler_access.hpp"

namespace faultline {
namespace detail {
namespace {

core& core_of(const node_head& n) noexcept { return core::of(*n.owner); }

/// The bits of the target, mostly one, among those of the open scopes; 0 when the thread has too many
/// different ones.
std::uint8_t target_bit(thread_slot& slot, const handler* target) noexcept {
  follow_default_target(slot);
  std::uint8_t taken = 0;
  for (const scope_slot& scope : slot.scopes()) {
    if (scope.target == target) return scope.target_bit;
    taken = static_cast<std::uint8_t>(taken | scope.target_bit);
  }
  return static_cast<std::uint8_t>(~taken & (taken + 1));
}

constinit site plain_failure{{unentered}, "call failed", __FILE__, "error_scope", "", __LINE__, level::error};
constinit site told_failure{{unentered}, "call failed", __FILE__,    "log_if_errors",
                            "exception", __LINE__,      level::error};
constinit site expected_failure{
    {unentered}, "call failed as expected", __FILE__, "log_if_errors", "exception", __LINE__, level::info};

/// Logs `call failed`. The slot knows while it lasts, so that the trip says "exception".
template <class... Wire>
void log_failure(const node_head& n, thread_slot* slot, site& where, const std::type_info* type,
                 Wire... wire) noexcept {
  if (level::error < n.threshold.load(std::memory_order_relaxed)) return;
  if (slot != nullptr) {
    slot->exception_escapes = true;
    slot->escaping_type = type;
  }
  append(n.gate(level::error), where, level_of_site{}, wire...);
  if (slot != nullptr) {
    slot->exception_escapes = false;
    slot->escaping_type = nullptr;
  }
}

bool is_made(const node_head& n) noexcept { return n.owner != &unmade_owner; }

/// The runtime keeps the scope's target alive from the target's first scope on.
void keep_target(const node_head& n, handler& target) {
  if (is_made(n) && !handler_access::is_kept_by(target, &core_of(n))) [[unlikely]]
    core_of(n).keep(target);
}

/// Nothing wrong, and nothing that few scopes have.
bool is_usual(const scope_options& o) noexcept {
  return o.capacity != 0 && o.flush_level <= level::off && o.on_full <= full_policy::flush &&
         o.after_trip == trip_policy::resume && o.pin_first == 0 && o.budget.count() >= 0 &&
         o.expects == nullptr;
}

} // namespace

void adopt(logger lg, const scope_options& options) {
  check(options);
  const node& n = lg.made();
  if (handler* target = options.target.get()) keep_target(n, *target);
}

void check(const scope_options& options) {
  if (options.capacity == 0) throw configuration_error("capacity", "0", "a scope holds at least one record");
  if (options.flush_level > level::off)
    throw configuration_error("flush_level", std::to_string(static_cast<int>(options.flush_level)),
                              "not a level");
  if (options.on_full > full_policy::flush)
    throw configuration_error("on_full", std::to_string(static_cast<int>(options.on_full)), "not a policy");
  if (options.after_trip > trip_policy::pass_through)
    throw configuration_error("after_trip", std::to_string(static_cast<int>(options.after_trip)),
                              "not a policy");
  if (options.budget.count() < 0)
    throw configuration_error("budget", std::to_string(options.budget.count()) + " ns",
                              "a time budget is not negative");
}

void add_field(thread_slot& slot, unsigned index, std::string_view key, const char* code,
               const std::byte* value, std::size_t bytes) noexcept {
  const closed_section closed(slot, slot.place());
  slot.scopes()[index].context.add_field(key, code, value, bytes);
}

/// A scope's options in force.
struct scope_settings {
  handler* target = nullptr; ///< null: the runtime's default one
  std::string_view name = {};
  std::size_t capacity = scope_options::default_capacity;
  level flush_level = scope_options::default_flush_level;
  full_policy on_full = full_policy::drop_oldest;
  std::chrono::nanoseconds budget = {};
  const scope_options* special = nullptr; ///< those that few scopes have
};

namespace {

void note_start(cursor& c, scope_slot& scope, std::uint64_t ticks) noexcept {
  scope.start_ticks = ticks;
  c.time.store(ticks, std::memory_order_relaxed);
}

void note_special(scope_slot& scope, const scope_options& options) noexcept {
  scope.traits |= scope_special;
  scope.special = {.expects = options.expects,
                   .pin_first = options.pin_first,
                   .pinned = 0,
                   .pinned_to = 0,
                   .passes_through = options.after_trip == trip_policy::pass_through};
}

/// That scope's work failed.
trip_decision failure_of(std::uint32_t index) noexcept {
  return {.tripped = bit_of_scope(index), .failed = bit_of_scope(index)};
}

void leave(thread_slot& slot, std::uint32_t index) noexcept {
  const closed_section closed(slot, slot.place());
  const scope_slot& scope = slot.scope_at(index);
  if (scope.budget_ticks != 0) {
    cursor& c = slot.place();
    const std::uint64_t now = read_clock(c);
    if (now > scope.start_ticks && now - scope.start_ticks > scope.budget_ticks) { // the clock may step back
      trip_cause cause;
      cause.trigger = trigger::budget;
      cause.ticks = now;
      c.time.store(now, std::memory_order_relaxed);
      trip_without_record(slot, failure_of(index), cause);
    }
  }
  slot.pop_scopes(index, scope.serial.load(std::memory_order_relaxed));
}

} // namespace
} // namespace detail

void handler_ref::keep_unless_kept() {
  if (!detail::handler_access::is_kept(*handler_)) owner_ = handler_->shared_from_this();
}

error_scope::error_scope(logger lg) : node_(&lg.node()) { enter({}); }

error_scope::error_scope(logger lg, const scope_options& options) : node_(&lg.node()) {
  const bool usual = detail::is_usual(options);
  if (!usual) [[unlikely]]
    detail::check(options);
  handler* const target = options.target.get();
  if (target != nullptr) detail::keep_target(*node_, *target);
  enter({target, options.name, options.capacity, options.flush_level, options.on_full, options.budget,
         usual ? nullptr : &options});
}

[[gnu::always_inline]] inline void error_scope::enter(const detail::scope_settings& settings) noexcept {
  const detail::node_head& node = *node_; // once: the compiler would read it again behind each atomic's store
  detail::cursor& c = *detail::current_cursor; // once: a signal handler may change it
  detail::thread_slot* const slot = c.slot;
  const bool plain = slot != nullptr && detail::is_open(c, node.owner) && !slot->in_scope() &&
                     c.plain_scopes && settings.budget.count() == 0 && settings.special == nullptr;
  if (!plain) [[unlikely]] {
    const detail::scope_settings copy = settings; // so that the compiler need not keep `settings` in memory
    return enter_slowly(copy);
  }
  const detail::closed_section closed(*slot, c);
  std::uint32_t serial = 0;
  detail::scope_slot& scope = slot->push_first_scope(serial);
  handler& target = settings.target != nullptr ? *settings.target : detail::core_of(node).default_target();
  place(*slot, c, 0, serial, target, 1, 0, settings);
  detail::note_start(c, scope, detail::read_ticks(detail::clock_source::tsc));
}

/// A scope that is not the thread's outermost, or has special options, or whose thread is not ready.
[[gnu::noinline]] void error_scope::enter_slowly(const detail::scope_settings& settings) noexcept {
  if (!detail::is_made(*node_)) return;
  detail::core& owner = detail::core_of(*node_);
  detail::cursor& here = *detail::current_cursor;
  detail::thread_slot* const slot =
      here.slot != nullptr && detail::is_open(here, &owner)
          ? here.slot
          : detail::obtain_slot(owner, {.call = "a scope",
                                        .name = settings.name,
                                        .logger = static_cast<const detail::node&>(*node_).name});
  if (slot == nullptr) {
    owner.scopes_unattached.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  detail::cursor& c = slot->place();
  const detail::closed_section closed(*slot, c);
  handler& target = settings.target != nullptr ? *settings.target : owner.default_target();
  const std::uint8_t bit = detail::target_bit(*slot, &target);
  detail::scope_slot* const scope = bit != 0 ? slot->push_scope() : nullptr;
  if (scope == nullptr) {
    detail::loss latest{.logger = node_->id, .target = &target};
    detail::copy_name(settings.name, latest);
    slot->counts.note_loss(detail::loss_kind::scope_refused, latest);
    return;
  }
  place(*slot, c, slot->scopes().size() - 1, scope->serial.load(std::memory_order_relaxed), target, bit,
        scope->traits, settings);
  if (settings.budget.count() != 0) scope->budget_ticks = owner.ticks_in(settings.budget);
  if (settings.special != nullptr) {
    detail::note_special(*scope, *settings.special);
    slot->some_special = true;
  }
  detail::note_start(c, *scope, detail::read_clock(c));
}

/// Fills in the scope and its place in the table, all but its start.
[[gnu::always_inline]] inline void error_scope::place(detail::thread_slot& slot, detail::cursor& c,
                                                      std::size_t index, std::uint32_t serial,
                                                      handler& target, std::uint8_t target_bit,
                                                      std::uint8_t traits,
                                                      const detail::scope_settings& settings) noexcept {
  const detail::node_head& node = *node_;
  detail::scope_slot& scope = slot.scope_at(static_cast<std::uint32_t>(index));
  slot_ = &slot;
  index_ = static_cast<std::uint32_t>(index);
  serial_ = serial;
  uncaught_ = *slot.uncaught_exceptions;
  scope.logger = &node;
  scope.target = &target;
  scope.budget_ticks = 0;
  scope.capacity = settings.capacity;
  scope.watermark = slot.here(c);
  scope.logged_mark = c.logged;
  scope.held = 0;
  scope.levels = settings.flush_level == scope_options::default_flush_level
                     ? node.flush_mask.load(std::memory_order_relaxed)
                     : detail::bits_from(settings.flush_level);
  scope.outer_trip_mask = c.trip_mask;
  scope.target_bit = target_bit;
  scope.counts = settings.on_full == full_policy::flush;
  scope.passing = false;
  scope.traits = traits;
  scope.owed_to = 0;
  scope.context.reset(settings.name);
  c.trip_mask =
      scope.counts ? detail::every_level
                   : static_cast<detail::level_mask>((index == 0 ? c.base_mask : c.trip_mask) | scope.levels);
}

bool error_scope::is_here() const noexcept {
  return detail::current_cursor->slot == slot_ || detail::find_slot(detail::core_of(*node_)) == slot_;
}

bool error_scope::active() const noexcept {
  if (slot_ == nullptr || !is_here()) return false;
  const auto scopes = slot_->scopes();
  // A signal handler that interrupts faultline on this thread finds the cursor closed, and leaves the table
  // alone.
  return index_ < scopes.size() && scopes[index_].serial.load(std::memory_order_relaxed) == serial_ &&
         slot_->place().open.load(std::memory_order_relaxed) != nullptr;
}

error_scope::~error_scope() {
  if (slot_ == nullptr) [[unlikely]]
    return;
  detail::cursor& c = *detail::current_cursor;
  if (index_ == 0 && c.slot == slot_ && detail::is_open(c, slot_->owner) &&
      *slot_->uncaught_exceptions <= uncaught_) [[likely]] {
    // Closed before the question: a signal handler's record between it and the end would change the answer.
    const detail::closed_section closed(*slot_, c);
    if (slot_->may_pop_only_scope(serial_)) [[likely]] {
      slot_->pop_only_scope(c);
      return;
    }
  }
  leave();
}

namespace detail {
namespace {

/// What the line about a scope that ends on another thread says. The thread that entered it may use its place
/// for another meanwhile: then the serial number has changed, and nothing of what was read is said. The bytes
/// of the name are read as they are, which only such a thread could change.
[[gnu::no_sanitize_thread]] loss describe_moved(const scope_slot& scope, std::uint32_t serial) noexcept {
  loss latest{.logger = scope.logger->id, .target = scope.target};
  copy_name(scope.context.name(), latest);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return scope.serial.load(std::memory_order_relaxed) == serial ? latest : loss{};
}

} // namespace
} // namespace detail

/// On a thread that did not enter it: says that it ended, and that this was wrong.
void error_scope::leave_elsewhere() noexcept {
  // In a forked child the scope is not open: it is the parent's.
  const detail::fork_guard& guard = detail::fork_guard::instance();
  if (!guard.alive() || slot_->home->epoch != guard.epoch()) return;
  detail::test_point(detail::race_point::scope_ends_on_other);
  detail::scope_slot& scope = slot_->scope_at(index_);
  const bool unnamed = detail::is_planted(detail::planted_fault::end_names_no_scope);
  const std::uint32_t present = scope.serial.load(std::memory_order_relaxed);
  if (present != serial_ && !unnamed) return; // a scope outside it ended first, which counted it
  const detail::loss latest = detail::describe_moved(scope, serial_);
  if (scope.ended_elsewhere.exchange(unnamed ? present : serial_, std::memory_order_relaxed) == serial_)
    return;
  detail::core& owner = detail::core_of(*node_);
  if (detail::thread_slot* const slot = detail::obtain_slot(owner, {}); slot != nullptr)
    slot->counts.note_loss(detail::loss_kind::scope_moved, latest);
  else
    owner.scopes_moved.fetch_add(1, std::memory_order_relaxed);
}

/// The end of a scope that is not plain.
void error_scope::leave() noexcept {
  if (!is_here()) return leave_elsewhere();
  if (!active()) return; // a scope outside it ended first, which counted it
  const bool escapes = *slot_->uncaught_exceptions > uncaught_;
  if (escapes && !told_) detail::log_failure(*node_, slot_, detail::plain_failure, nullptr);
  detail::leave(*slot_, index_);
}

void error_scope::trip(std::string_view reason) noexcept {
  if (!active()) return;
  const detail::closed_section closed(*slot_, slot_->place());
  detail::trip_cause cause;
  cause.trigger = trigger::call;
  cause.reason = reason;
  cause.ticks = detail::note_time(slot_->place());
  detail::trip_without_record(*slot_, detail::failure_of(index_), cause);
}

void error_scope::fail_by_result() noexcept {
  if (!active()) return;
  const detail::closed_section closed(*slot_, slot_->place());
  detail::trip_cause cause;
  cause.trigger = trigger::result;
  cause.ticks = detail::note_time(slot_->place());
  detail::trip_without_record(*slot_, detail::failure_of(index_), cause);
}

void error_scope::fail_with_current_exception(bool (*is_expected)() noexcept) noexcept {
  told_ = true;
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return; // no C++ exception: the thread's own end unwinds the stack
  const detail::exception_story story;
  if (is_expected != nullptr && is_expected()) {
    if (detail::is_on(*node_, level::info))
      detail::append(node_->gate(level::info), detail::expected_failure, detail::level_of_site{},
                     story.wire());
    return;
  }
  detail::log_failure(*node_, active() ? slot_ : nullptr, detail::told_failure, type, story.wire());
}

error_scope& error_scope::trace(const std::array<std::uint8_t, 16>& trace_id,
                                const std::array<std::uint8_t, 8>& span_id) noexcept {
  if (!active()) return *this;
  const detail::closed_section closed(*slot_, slot_->place());
  slot_->scopes()[index_].context.set_trace(trace_id, span_id);
  return *this;
}

bool error_scope::traceparent(std::string_view header) noexcept {
  const std::optional<trace_context> parsed = parse_traceparent(header);
  if (parsed) trace(*parsed);
  return parsed.has_value();
}

} // namespace faultline
