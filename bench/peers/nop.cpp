// Nothing: what the loops of the scenarios cost by themselves.
#include "../run_variants.hpp"

namespace {

using namespace bench;

struct nop : example_variant {
  static constexpr std::string_view name = "nop";
  static constexpr unsigned scenarios =
      scenario_held | scenario_latency | scenario_disabled | scenario_churn | scenario_idle;

  class log {
   public:
    // Not inlined: a call is the least that a record can be.
    [[gnu::noinline]] void a(std::uint64_t x, std::uint32_t y, double z) const {
      asm volatile("" : : "r"(x), "r"(y), "x"(z));
    }
    [[gnu::noinline]] void b(const std::string& user, int shard) const {
      asm volatile("" : : "r"(&user), "r"(shard));
    }
    void error(int) const {}
  };
  struct request {
    explicit request(const log&) {}
  };
  using example_variant::example_variant;
  [[nodiscard]] log make_log() { return {}; }
};

} // namespace

int main(int count, char** words) { return run_variants<nop>(count, words); }
