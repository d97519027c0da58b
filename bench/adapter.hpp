// What a peer gives the suite. Each peer is one file in peers/ with one or more variants: classes of the
// shape of `example_variant` below, and a `main` that hands them to `run_variants`. One executable a peer, so
// that no library disturbs another.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

/// What becomes of a record of work that succeeds.
enum class fate {
  nothing, ///< there is none, or nobody could read it: a floor
  held,    ///< it is kept for a failure and forgotten
  written, ///< it becomes text in the file, failure or not
};

/// How a variant is to be set up.
struct setup {
  std::string path;      ///< the file for its text; it does not exist yet
  bool disabled = false; ///< its logger stands above DEBUG: `a` makes no record
};

/// Scenarios that a variant takes part in, as bits.
enum scenario_bits : unsigned {
  scenario_text = 1U << 0,
  scenario_held = 1U << 1,
  scenario_latency = 1U << 2,
  scenario_trip = 1U << 3,
  scenario_written = 1U << 4,
  scenario_cpu = 1U << 5,
  scenario_threads = 1U << 6,
  scenario_scope_size = 1U << 7,
  scenario_argument_bytes = 1U << 8,
  scenario_error_rate = 1U << 9,
  scenario_disabled = 1U << 10,
  scenario_empty_scope = 1U << 11,
  scenario_churn = 1U << 12,
  scenario_idle = 1U << 13,
  scenario_instructions = 1U << 14,
};

/// What a statement costs on its thread, which every variant can be asked.
inline constexpr unsigned call_scenarios =
    scenario_held | scenario_latency | scenario_cpu | scenario_threads | scenario_argument_bytes;
/// What a variant that holds records can be asked besides.
inline constexpr unsigned holding_scenarios =
    call_scenarios | scenario_text | scenario_trip | scenario_scope_size | scenario_error_rate;
/// What a variant that writes everything can be asked.
inline constexpr unsigned writing_scenarios =
    call_scenarios | scenario_text | scenario_trip | scenario_written | scenario_error_rate;

/// Thrown by a variant's constructor when this build or this machine cannot run it; the report says why.
struct unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The string of statement B.
inline constexpr std::string_view user_name = "a string of 24 character";

/// How many DEBUG records a request makes, unless the scenario varies it.
inline constexpr int records_per_request = 32;

/// The shape of a variant. It is made and destroyed by the main thread; while it is made, the process is on
/// the processor for back ends, so that threads which it starts are there.
struct example_variant {
  static constexpr std::string_view name = "example";
  static constexpr fate records = fate::nothing;
  static constexpr unsigned scenarios = call_scenarios;
  /// Whether another thread works on every record, so that a measurement has to stop and `settle` before its
  /// queue is full.
  static constexpr bool has_busy_back_end = false;
  /// How many threads may log at once.
  static constexpr int most_threads = 1024;

  /// What one thread logs through: made by the thread itself, which it attaches; cheap to copy.
  class log {
   public:
    /// Statement A at DEBUG: "request {} handled {} bytes in {} us".
    void a(std::uint64_t, std::uint32_t, double) const {}
    /// Statement B at DEBUG: "user {} shard {}".
    void b(const std::string&, int) const {}
    /// At ERROR: "request failed with {}". A variant that holds writes what the request held before it.
    void error(int) const {}
  };

  /// A request begins and ends with its life.
  struct request {
    explicit request(const log&) {}
  };

  explicit example_variant(const setup&) {}
  [[nodiscard]] log make_log() { return {}; }
  /// Returns when all text logged before is in the file.
  void settle() {}
  /// Records or contexts that should have been written and were not.
  [[nodiscard]] std::uint64_t lost() const { return 0; }
  /// Memory that the library reports for its threads, 0 where it does not.
  [[nodiscard]] std::uint64_t reported_memory() const { return 0; }
};

} // namespace bench
