// The failing request: 32 records held, then an ERROR that hands them over. The time is the ERROR statement's
// alone.
#include <chrono>
#include <cstdint>

#include <benchmark/benchmark.h>

#include "statements.hpp"

namespace {

using namespace faultline;
using namespace faultline::bench;

void error_with_hand_over(benchmark::State& state) {
  runtime rt({.default_target = make_null_handler(), .storm_dumps_per_second = 0});
  const logger lg = rt.get_logger("bench");
  rt.attach_thread();
  for (auto _ : state) {
    const error_scope scope(lg);
    for (int i = 0; i < records_per_request; ++i) statement_a(lg, i);
    const auto before = std::chrono::steady_clock::now();
    FAULTLINE_ERROR(lg, "request failed with {}", 7);
    const auto after = std::chrono::steady_clock::now();
    state.SetIterationTime(std::chrono::duration<double>(after - before).count());
    state.PauseTiming();
    (void)rt.flush(); // so that each hand-over finds a free buffer
    state.ResumeTiming();
  }
  if (rt.stats().contexts_refused != 0) state.SkipWithError("a hand-over found no free buffer");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(error_with_hand_over)->Name("trip/error_call")->UseManualTime()->Iterations(5000);

} // namespace
