// A scope entered and left without an error, its clock reading included (see floor/rdtsc).
#include <benchmark/benchmark.h>

#include "statements.hpp"

namespace {

using namespace faultline;

void enter_and_leave(benchmark::State& state) {
  runtime rt({.default_target = make_null_handler()});
  const logger lg = rt.get_logger("bench");
  rt.attach_thread();
  for (auto _ : state) {
    const error_scope scope(lg);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(enter_and_leave)->Name("scope/enter_and_leave");

} // namespace
