// The reference at work: loggers, open scopes, records, and what handlers have received. reference.hpp tells
// which rule is where.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scope_model/model_objects.hpp"
#include "scope_model/reference.hpp"

namespace faultline::scope_model {

inline constexpr std::size_t longest_shown = 63; ///< of names and reasons

[[nodiscard]] constexpr std::uint32_t bit(std::size_t handler) { return std::uint32_t{1} << handler; }

/// Runs a program step by step.
class interpreter {
 public:
  interpreter(const program& p, mistake wrong);
  void run(const step& s);
  [[nodiscard]] expectation result();

 private:
  using scopes = std::vector<model_scope*>;
  /// The scopes that a record concerns.
  struct concerned {
    scopes tripped; ///< they write
    scopes failed;  ///< of these, those that are not only full
    scopes told;    ///< their targets get the record alone
  };

  [[nodiscard]] bool wrongly(mistake m) const { return wrong_ == m; }
  [[nodiscard]] level level_of(std::size_t logger) const;
  [[nodiscard]] std::vector<std::size_t> way_up(std::size_t logger) const;
  [[nodiscard]] bool sees(const model_scope& s, const model_record& r) const;
  [[nodiscard]] std::uint32_t routed(const model_record& r) const;
  [[nodiscard]] bool at_flush_level(const model_scope& s, const model_record& r) const;
  [[nodiscard]] bool is_expected(const model_scope& s, const model_record& r, trigger why) const;
  [[nodiscard]] model_scope* find(const step& s);
  void enter(const step& s);
  [[nodiscard]] model_scope scope_of(const step& s) const;
  void hold(model_scope& s, std::size_t record) const;
  void log(model_record r, trigger why);
  [[nodiscard]] concerned concerns(std::size_t record, trigger why);
  void tell(model_record& r, const scopes& told);
  void begin_passing(const scopes& failed) const;
  void note_destination(model_record& r, const concerned& c);
  void note_first(const model_scope& s);
  void trip(model_scope& s, trigger why, std::string_view reason);
  [[nodiscard]] scopes in_order(scopes tripped) const;
  void write(const scopes& tripped, const cause& c);
  void write_dump(const scopes& group, const cause& c);
  void pass(model_record& r);
  [[nodiscard]] bool is_silent(const model_record& r);
  void pass_to_default_target(model_record& r);
  void begin_thread();
  void discard_outside();
  void call_failed(const model_scope& s, std::string what);
  void leave(std::size_t object);
  void check_budget(model_scope& s);
  void unwind(std::size_t count);
  void throw_told(std::size_t object, bool is_expected);

  mistake wrong_;
  std::vector<model_logger> loggers_;
  std::array<level, most_handlers> thresholds_{};
  std::vector<model_record> records_;
  /// The program's scopes in the order of their making; one that was refused, or taken along, is not open.
  struct entered {
    model_scope scope;
    bool open;
  };
  std::vector<std::unique_ptr<entered>> objects_;
  std::size_t begun_ = 0;
  std::size_t trips_ = 0;
  std::uint64_t next_dump_ = 1;
  std::size_t now_ms_ = 0;
  bool has_begun_ = false;           ///< the thread
  std::vector<std::size_t> written_; ///< records that the hand-over at hand wrote somewhere
  bool storms_;
  bool holds_outside_;
  model_scope outside_{.capacity = scope_options::default_capacity};
  expectation result_{
      .exact = {}, .destinations = {{}}, .unnumbered = {}, .forgets = false, .held_outside = 0, .made = 0};

  [[nodiscard]] scopes open_scopes() {
    scopes open;
    for (const auto& o : objects_)
      if (o->open) open.push_back(&o->scope);
    return open;
  }
  /// The scopes that a record may concern: while none is open, the one that stands for records outside
  /// scopes.
  [[nodiscard]] scopes watching() {
    scopes all = open_scopes();
    if (holds_outside_ && (all.empty() || wrongly(mistake::outside_sees_scopes))) all.push_back(&outside_);
    return all;
  }
};

} // namespace faultline::scope_model
