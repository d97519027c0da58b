#include "scope_model/player.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>

#include <faultline/faultline.hpp>

#include "scope_model/own_time.hpp"

namespace faultline::scope_model {
namespace {

/// Keeps what it receives as the reference tells it.
class recording_handler final : public handler {
 public:
  std::vector<block> blocks;
  std::string complaint;

  void write(const batch& records) override {
    const dump_envelope* const dump = records.envelope();
    if (dump != nullptr) {
      blocks.push_back({head_of(*dump),
                        dump->trigger == trigger::level || dump->trigger == trigger::exception,
                        dump->forgotten,
                        {}});
      check(*dump, records.records());
    }
    for (const record_view& r : records) {
      if (r.logger == "faultline" && !r.message().starts_with("storm: ")) continue; // what it says of losses
      if (dump == nullptr) blocks.emplace_back();
      const std::string_view scope = r.scope != nullptr ? r.scope->name : std::string_view();
      blocks.back().records.push_back(
          {number_of(r), line_of(r.level, r.logger, scope, r.message(), r.exception())});
    }
  }

 private:
  void check(const dump_envelope& dump, std::span<const record_view> records) {
    auto latest = records.front().time; // a merged dump's may be older than the scope that heads it
    for (const record_view& r : records) {
      if (r.time < latest || r.dump_id != dump.id) complaint = head_of(dump) + ": a wrong time, or dump id\n";
      latest = r.time;
    }
    if (dump.records != records.size() || dump.duration.count() < 0)
      complaint = head_of(dump) + ": not so many records, or a wrong duration\n";
  }
  static std::size_t number_of(const record_view& r) {
    const bool failed = r.message().starts_with("call failed");
    std::string_view text = failed ? r.exception() : r.message();
    text.remove_prefix(std::min(text.rfind('m') + 1, text.size())); // "m12..." or "std::runtime_error: m12"
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
};

bool is_expected_always() noexcept { return true; }

/// What leaves a scope that log_if_errors did not make.
struct failure {};

class player {
 public:
  explicit player(const program& p)
      : roomy_(p.roomy), holds_outside_(p.holds_outside), runtime_(options_for(p, handlers_)) {
    for (const std::string_view name : logger_names) loggers_.push_back(runtime_.get_logger(name));
  }

  void run(const step& s) {
    make_room(s);
    logger& lg = loggers_[s.logger];
    const auto object = s.scope < objects_.size() ? objects_.end() - 1 - static_cast<std::ptrdiff_t>(s.scope)
                                                  : objects_.end();
    const bool there = object != objects_.end();
    switch (s.what) {
    case verb::log: return log(lg, s);
    case verb::begin: return enter(lg, s);
    case verb::end: return there ? (void)objects_.erase(object) : void();
    case verb::unwind: return unwind(std::min(s.number, most_unwound));
    case verb::tell: ++statements_; return there ? throw_told(object, s.flag) : void();
    case verb::trip: ++trips_; return there ? (*object)->trip(reason_of(trips_)) : void();
    case verb::fail: return there ? (*object)->fail_by_result() : void();
    case verb::set_level: return lg.set_level(s.at);
    case verb::inherit_level: return lg.inherit_level();
    case verb::propagate: return propagate(lg, s.flag);
    case verb::attach: return lg.add_handler(handlers_[s.handler]);
    case verb::detach: return lg.remove_handler(handlers_[s.handler]);
    case verb::handler_level: return handlers_[s.handler]->set_level(s.at);
    case verb::run_once: (void)runtime_.run_once(); return;
    case verb::pass_time: return own_time::pass(std::chrono::milliseconds(s.number));
    }
  }

  outcome result() {
    while (!objects_.empty()) run({.what = verb::end});
    if (!runtime_.flush()) throw std::runtime_error("flush timed out");
    outcome o;
    for (std::size_t h = 0; h < most_handlers; ++h) {
      o.at[h] = std::move(handlers_[h]->blocks);
      o.complaint += handlers_[h]->complaint;
    }
    o.stats = runtime_.stats();
    return o;
  }

 private:
  using handler_list = std::array<std::shared_ptr<recording_handler>, most_handlers>;
  using objects = std::vector<std::unique_ptr<error_scope>>;

  static constexpr std::size_t roomy_buffers = 32;

  /// `handlers` are made here, since the runtime needs the first.
  static runtime_options options_for(const program& p, handler_list& handlers) {
    for (auto& h : handlers) h = std::make_shared<recording_handler>();
    runtime_options o;
    o.default_target = handlers[0];
    o.clock = p.clock;
    o.flusher = flusher_mode::manual;
    constexpr std::size_t kib = 1024;
    o.buffer_bytes = (p.roomy ? 32 : 4) * kib;
    o.outbox_bytes = (p.roomy ? 256 : 4) * kib;
    o.buffers_per_thread = p.roomy ? roomy_buffers : 2 + p.seed % 2;
    o.storm_dumps_per_second = p.storms ? 1 : 0;
    o.storm_burst = 2;
    o.hold_outside_scopes = p.holds_outside;
    return o;
  }

  /// So many hand-overs and records a step may make: an exception and a budget for each scope that it ends.
  static std::size_t most_of(const step& s) { return 2 * (s.what == verb::unwind ? most_unwound : 1); }

  void make_room(const step& s) {
    if (!roomy_) return;
    made_ = s.what == verb::run_once ? 0 : made_ + most_of(s);
    if (made_ < roomy_buffers) return;
    (void)runtime_.run_once();
    made_ = most_of(s);
  }

  void log(logger lg, const step& s) {
    const std::string message = message_of(++statements_, s.number);
    if (!s.flag) {
      FAULTLINE_LOG(lg, s.at, "{}", message);
      return;
    }
    switch (s.at) {
    case level::trace: FAULTLINE_TRACE(lg, "{}", message); return;
    case level::debug: FAULTLINE_DEBUG(lg, "{}", message); return;
    case level::info: FAULTLINE_INFO(lg, "{}", message); return;
    case level::warning: FAULTLINE_WARNING(lg, "{}", message); return;
    case level::error: FAULTLINE_ERROR(lg, "{}", message); return;
    case level::critical: FAULTLINE_CRITICAL(lg, "{}", message); return;
    case level::off: return;
    }
  }

  void enter(logger lg, const step& s) {
    const std::string name = s.named ? name_of_scope(begun_ + 1) : "";
    ++begun_;
    scope_options o;
    o.name = name;
    if (s.handler != 0) o.target = handlers_[s.handler];
    o.flush_level = s.at;
    o.capacity = s.number;
    o.on_full = s.flag ? full_policy::flush : full_policy::drop_oldest;
    o.after_trip = s.passes_through ? trip_policy::pass_through : trip_policy::resume;
    o.pin_first = s.pin_first;
    o.expects = predicate_of(s.expects);
    if (s.budget_ms != 0) o.budget = std::chrono::microseconds(s.budget_ms * 1000 + 500);
    objects_.push_back(std::make_unique<error_scope>(lg, o));
  }

  /// Destroyed by an exception, it destroys scopes as the blocks that the exception leaves would.
  struct blocks {
    objects& all;
    std::size_t count;
    explicit blocks(objects& of, std::size_t n) : all(of), count(n) {}
    blocks(const blocks&) = delete;
    blocks& operator=(const blocks&) = delete;
    ~blocks() {
      for (; count > 0 && !all.empty(); --count) all.pop_back();
    }
  };

  void unwind(std::size_t count) {
    try {
      const blocks left(objects_, count);
      throw failure();
    } catch (const failure&) {
    }
  }

  void throw_told(objects::iterator object, bool is_expected) {
    try {
      const std::unique_ptr<error_scope> scope = std::move(*object);
      objects_.erase(object);
      try {
        throw std::runtime_error(message_of(statements_, 0));
      } catch (...) {
        scope->fail_with_current_exception(is_expected ? is_expected_always : nullptr);
        throw;
      }
    } catch (const std::runtime_error&) {
    }
  }

  void propagate(logger lg, bool on) {
    // What is held or on its way is judged by the present setting.
    if (!objects_.empty() || (holds_outside_ && statements_ > 0)) return;
    (void)runtime_.flush();
    lg.set_propagate(on);
  }

  bool roomy_;
  bool holds_outside_;
  handler_list handlers_;
  runtime runtime_;
  std::vector<logger> loggers_;
  objects objects_;
  std::size_t begun_ = 0;
  std::size_t statements_ = 0;
  std::size_t trips_ = 0;
  std::size_t made_ = 0;
};

} // namespace

outcome play(const program& p) {
  const own_time time;
  player one(p);
  for (const step& s : p.steps) one.run(s);
  return one.result();
}

outcome play_apart(const program& p) { return std::async(std::launch::async, play, std::cref(p)).get(); }

} // namespace faultline::scope_model
