// A thread that logs at random, and says of each record what must become of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <faultline/faultline.hpp>

#include "stream_checker.hpp"
#include "support/dice.hpp"

namespace faultline::stress {

/// The handlers of the stage, by their numbers for the checker.
enum role : std::size_t {
  root_warning, ///< attached to the root from WARNING on
  branch_info,  ///< attached to a.b from INFO on, and a scope's target now and then
  target_one,
  target_two,
  full_target,    ///< of the scopes that write when they are full, and of no other
  default_target, ///< the runtime's
  throwing,       ///< a scope's target that throws at every third batch
  coming,         ///< attached to the root from INFO on and detached again, and a scope's target
  roles
};

inline constexpr std::size_t logger_count = 6;

/// What all threads of one run share.
struct stage {
  stage(runtime& r, const std::array<handler_ptr, roles>& all, std::uint64_t between_flushes, bool tells,
        bool holds);

  runtime& owner;
  std::uint64_t works_between_flushes;
  bool scopes_are_told; ///< some pass through after a trip, or expect errors
  bool holds_outside;   ///< runtime_options::hold_outside_scopes
  std::array<handler_ptr, roles> handlers;
  std::array<logger, logger_count> loggers; ///< root, a, a.b, a.b.c, z, q
};

using test::dice;

/// One thread's records of all its lives. `live` runs on a thread of its own each time.
class worker {
 public:
  worker(const stage& where, std::size_t index, std::size_t records, std::size_t lives, std::uint64_t seed);

  void live(std::size_t life);

  [[nodiscard]] const intent& meant() const noexcept { return meant_; }
  [[nodiscard]] std::uint64_t statements() const noexcept { return statements_; }
  [[nodiscard]] std::uint64_t scopes_refused() const noexcept { return scopes_refused_; }

 private:
  struct open_scope {
    std::size_t logger;
    level flush;
    std::size_t target;
  };
  /// Keeps the worker's picture of its scope table in step with a scope that is made after it.
  class frame {
   public:
    frame(worker& w, const open_scope& s, bool told);
    frame(const frame&) = delete;
    frame& operator=(const frame&) = delete;
    ~frame();

   private:
    worker& worker_;
    bool held_;
    bool told_; ///< log_if_errors: tells of an exception even where the scope was refused
    std::size_t logger_;
    int exceptions_;
  };

  void work(unsigned depth);
  void log();
  void note(std::size_t lg, level l);
  void enter(unsigned depth);
  void run_scope(unsigned depth, const open_scope& s, const scope_options& options);
  void run_guarded(unsigned depth, const open_scope& s, const scope_options& options);
  void failed(std::size_t lg);
  [[nodiscard]] bool trips(const open_scope& s, std::size_t lg, level l) const noexcept;
  void settle();

  const stage& stage_;
  std::size_t index_;
  std::size_t per_life_;
  dice dice_;
  intent meant_;
  std::vector<open_scope> open_;
  std::string filling_;
  std::size_t deepest_ = 0; ///< of the scopes of this stretch of work
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t first_of_life_ = 0;
  bool loud_ = false;              ///< something in the outermost scope was tripped, or may have been
  std::vector<std::uint64_t> low_; ///< its records below INFO
  std::uint64_t statements_ = 0;
  std::uint64_t scopes_refused_ = 0;
};

} // namespace faultline::stress
