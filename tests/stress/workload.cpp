#include "workload.hpp"

#include <chrono>
#include <exception>
#include <stdexcept>

#include <fmt/format.h>

namespace faultline::stress {
namespace {

/// What the stage's loggers are, said again for the checker's sake: the parent to which records go on, and
/// the level.
struct logger_facts {
  int up;
  level threshold;
};
constexpr std::array<logger_facts, logger_count> facts{{
    {-1, level::debug},
    {0, level::debug},
    {1, level::trace},
    {2, level::trace},
    {-1, level::debug},
    {0, level::critical},
}};
constexpr std::size_t scope_bound = 32;

bool reaches(std::size_t from, std::size_t to) noexcept {
  for (int at = static_cast<int>(from); at >= 0; at = facts[static_cast<std::size_t>(at)].up)
    if (at == static_cast<int>(to)) return true;
  return false;
}

struct planned_failure : std::runtime_error {
  explicit planned_failure(unsigned levels) : std::runtime_error("planned"), levels_left(levels) {}
  unsigned levels_left;
};

} // namespace

stage::stage(runtime& r, const std::array<handler_ptr, roles>& all, std::uint64_t between_flushes, bool tells,
             bool holds)
    : owner(r), works_between_flushes(between_flushes), scopes_are_told(tells), holds_outside(holds),
      handlers(all), loggers{r.get_logger(),        r.get_logger("a"), r.get_logger("a.b"),
                             r.get_logger("a.b.c"), r.get_logger("z"), r.get_logger("q")} {
  loggers[2].set_level(level::trace);
  loggers[4].set_propagate(false);
  loggers[5].set_level(level::critical);
  handlers[root_warning]->set_level(level::warning);
  loggers[0].add_handler(handlers[root_warning]);
  handlers[branch_info]->set_level(level::info);
  loggers[2].add_handler(handlers[branch_info]);
  handlers[coming]->set_level(level::info);
}

worker::worker(const stage& where, std::size_t index, std::size_t records, std::size_t lives,
               std::uint64_t seed)
    : stage_(where), index_(index), per_life_(records / lives), dice_(seed + index), meant_(roles, records),
      filling_(300, 'x') {}

void worker::live(std::size_t life) {
  next_ = first_of_life_ = life * per_life_;
  end_ = next_ + per_life_;
  while (next_ < end_) {
    try {
      work(0);
    } catch (const planned_failure&) { // it went through all scopes
    }
    settle();
    // Without a pause between failures the flusher would get next to none of them.
    if (dice_.below(stage_.works_between_flushes) == 0) (void)stage_.owner.flush(std::chrono::seconds(10));
  }
}

/// Outside all scopes: what nobody tripped must stay unseen.
void worker::settle() {
  if (!loud_)
    for (const std::uint64_t number : low_) meant_.quiet.add(number);
  low_.clear();
  loud_ = false;
}

bool worker::trips(const open_scope& s, std::size_t lg, level l) const noexcept {
  return s.flush <= l && reaches(lg, s.logger);
}

void worker::note(std::size_t lg, level l) {
  ++statements_;
  const auto must_reach = [&](std::size_t handler) { meant_.expected[handler].add(next_); };
  if (l < level::info) low_.push_back(next_);
  if (l >= level::warning && reaches(lg, 0)) must_reach(root_warning);
  if (l >= level::info && reaches(lg, 2)) must_reach(branch_info);
  for (const open_scope& s : open_) {
    if (!trips(s, lg, l)) continue;
    loud_ = true;
    if (s.target != throwing) must_reach(s.target);
  }
  if (!open_.empty()) return;
  if (stage_.holds_outside) {
    loud_ = true; // an error that comes later may write it
    if (l >= level::error && reaches(lg, 0)) must_reach(default_target);
  }
  settle();
}

void worker::log() {
  if (next_ == end_) return;
  const std::size_t lg = dice_.below(logger_count);
  const std::uint64_t roll = dice_.below(1000);
  const level l = roll < 300   ? level::trace
                  : roll < 880 ? level::debug
                  : roll < 960 ? level::info
                  : roll < 990 ? level::warning
                  : roll < 998 ? level::error
                               : level::critical;
  const logger& where = stage_.loggers[lg];
  const std::uint64_t number = next_;
  switch (dice_.below(4)) {
  case 0: FAULTLINE_LOG(where, l, "w{} n{}", index_, number); break;
  case 1: FAULTLINE_LOG(where, l, "w{} n{} {} {:.2f}", index_, number, static_cast<int>(l), 0.5); break;
  case 2:
    FAULTLINE_LOG(where, l, "w{} n{} {}", index_, number,
                  std::string_view(filling_).substr(0, dice_.below(filling_.size())));
    break;
  default:
    if (l == level::debug)
      FAULTLINE_DEBUG(where, "w{} n{} debug", index_, number);
    else if (l == level::error)
      FAULTLINE_ERROR(where, "w{} n{} error", index_, number);
    else
      FAULTLINE_LOG(where, l, "w{} n{} other", index_, number);
  }
  if (l < facts[lg].threshold) return;
  note(lg, l);
  ++next_;
}

void worker::work(unsigned depth) {
  const std::uint64_t steps = 1 + dice_.below(depth == 0 ? 12 : 24);
  if (depth == 0) deepest_ = dice_.percent(1) ? scope_bound + 8 : 6;
  for (std::uint64_t i = 0; i < steps && next_ < end_; ++i) {
    if (depth < deepest_ && dice_.percent(deepest_ > scope_bound ? 50 : 12))
      enter(depth + 1);
    else
      log();
  }
}

void worker::failed(std::size_t lg) {
  if (level::error < facts[lg].threshold) return;
  ++statements_; // `call failed`
  for (const open_scope& s : open_) loud_ = loud_ || trips(s, lg, level::error);
}

worker::frame::frame(worker& w, const open_scope& s, bool told)
    : worker_(w), held_(w.open_.size() < scope_bound), told_(told), logger_(s.logger),
      exceptions_(std::uncaught_exceptions()) {
  if (held_)
    worker_.open_.push_back(s);
  else
    ++worker_.scopes_refused_;
}

worker::frame::~frame() {
  if (std::uncaught_exceptions() > exceptions_ && (held_ || told_)) worker_.failed(logger_);
  if (held_) worker_.open_.pop_back();
  if (worker_.open_.empty()) worker_.settle();
}

void worker::enter(unsigned depth) {
  constexpr std::array<std::size_t, 6> targets{default_target, target_one, target_two,
                                               branch_info,    coming,     default_target};
  constexpr std::array<level, 8> flushes{level::error, level::error,   level::error, level::error,
                                         level::error, level::warning, level::off,   level::critical};
  constexpr std::array<std::size_t, 4> capacities{1, 8, 100, 1000};
  open_scope s{dice_.below(logger_count), flushes[dice_.below(flushes.size())],
               targets[dice_.below(targets.size())]};
  scope_options options;
  options.capacity = capacities[dice_.below(capacities.size())];
  if (dice_.percent(4)) {
    s.target = full_target;
    options.on_full = full_policy::flush;
    options.capacity = 1 + dice_.below(20);
    loud_ = true;
  } else if (dice_.percent(4)) {
    s.target = throwing;
  }
  if (dice_.percent(4)) {
    options.budget = std::chrono::nanoseconds(dice_.percent(50) ? 1 : 3'600'000'000'000);
    loud_ = loud_ || options.budget.count() == 1;
  }
  if (stage_.scopes_are_told && dice_.percent(6)) options.after_trip = trip_policy::pass_through;
  if (dice_.percent(6)) options.pin_first = 1 + dice_.below(30);
  if (stage_.scopes_are_told && dice_.percent(3))
    options.expects = [](const trip_view& v) noexcept { return v.level == level::critical; };
  options.flush_level = s.flush;
  if (s.target != default_target) options.target = stage_.handlers[s.target];
  if (dice_.percent(60))
    run_scope(depth, s, options);
  else
    run_guarded(depth, s, options);
}

void worker::run_scope(unsigned depth, const open_scope& s, const scope_options& options) {
  try {
    const frame kept(*this, s, false);
    error_scope scope(stage_.loggers[s.logger], options);
    if (dice_.percent(20)) scope.field("worker", index_);
    work(depth);
    const std::uint64_t roll = dice_.below(100);
    if (roll < 2) throw planned_failure(static_cast<unsigned>(dice_.below(depth)));
    if (roll < 5) {
      loud_ = true;
      scope.trip(next_ > first_of_life_ ? fmt::format("at {}", next_ - 1) : std::string("at once"));
      work(depth + 3);
    }
  } catch (planned_failure& e) {
    if (e.levels_left == 0) return;
    --e.levels_left;
    throw;
  }
}

void worker::run_guarded(unsigned depth, const open_scope& s, const scope_options& options) {
  try {
    const frame kept(*this, s, true);
    const std::uint64_t roll = dice_.below(100);
    const auto guarded =
        log_if_errors(stage_.loggers[s.logger], options).fails_when([](int result) { return result < 0; });
    loud_ = loud_ || roll < 3;
    (void)guarded([&](unsigned d) {
      work(d);
      if (roll >= 98) throw planned_failure(static_cast<unsigned>(dice_.below(d)));
      return roll < 3 ? -1 : 1;
    })(depth);
  } catch (planned_failure& e) {
    if (e.levels_left == 0) return;
    --e.levels_left;
    throw;
  }
}

} // namespace faultline::stress
