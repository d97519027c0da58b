// Held and forgotten: 32 records a request, nothing fails. The time an item is a record's, its share of the
// scope included.
#include <benchmark/benchmark.h>

#include "statements.hpp"

namespace {

using namespace faultline;
using namespace faultline::bench;

template <class Statement> void hold(benchmark::State& state, clock_kind clock, Statement statement) {
  runtime rt({.default_target = make_null_handler(), .clock = clock});
  const logger lg = rt.get_logger("bench");
  rt.attach_thread();
  for (auto _ : state) {
    const error_scope scope(lg);
    for (int i = 0; i < records_per_request; ++i) statement(lg, i);
  }
  state.SetItemsProcessed(state.iterations() * records_per_request);
}

void held_a(benchmark::State& state, clock_kind clock) { hold(state, clock, statement_a); }
void held_b(benchmark::State& state, clock_kind clock) {
  hold(state, clock, [](logger lg, int i) { statement_b(lg, user_name, i); });
}
BENCHMARK_CAPTURE(held_a, scope_clock, clock_kind::scope)->Name("held/A/scope_clock");
BENCHMARK_CAPTURE(held_a, tsc_clock, clock_kind::tsc)->Name("held/A/tsc_clock");
BENCHMARK_CAPTURE(held_b, scope_clock, clock_kind::scope)->Name("held/B/scope_clock");
BENCHMARK_CAPTURE(held_b, tsc_clock, clock_kind::tsc)->Name("held/B/tsc_clock");

} // namespace
