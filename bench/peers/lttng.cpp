// LTTng-UST in snapshot mode: a flight recorder in shared memory. The suite starts the session daemon and the
// session; this program only logs. What it writes is binary and is read by other programs, so it takes no
// part where text is timed.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_events.hpp"

#include "../run_variants.hpp"

namespace {

using namespace bench;

struct lttng_snapshot : example_variant {
  static constexpr std::string_view name = "lttng_snapshot";
  static constexpr fate records = fate::held;
  static constexpr unsigned scenarios = call_scenarios | scenario_instructions;

  class log {
   public:
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      lttng_ust_tracepoint(bench, request_handled, x, y, z);
    }
    void b(const std::string& user, int shard) const {
      lttng_ust_tracepoint(bench, user_shard, user.c_str(), shard);
    }
    void error(int n) const { lttng_ust_tracepoint(bench, request_failed, n); }
  };
  struct request {
    explicit request(const log&) {}
  };
  explicit lttng_snapshot(const setup& s) : example_variant(s) {
    if (!lttng_ust_tracepoint_enabled(bench, request_handled))
      throw unavailable("no LTTng session records its events: run it through scripts/bench");
  }
  [[nodiscard]] log make_log() { return {}; }
};

} // namespace

int main(int count, char** words) { return run_variants<lttng_snapshot>(count, words); }
