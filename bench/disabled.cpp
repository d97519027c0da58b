// A statement below its logger's level.
#include <benchmark/benchmark.h>

#include "statements.hpp"

namespace {

using namespace faultline;

void disabled_statement(benchmark::State& state) {
  runtime rt({.default_target = make_null_handler()});
  logger lg = rt.get_logger("bench");
  lg.set_level(level::info);
  int i = 0;
  for (auto _ : state) {
    bench::statement_a(lg, ++i);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(disabled_statement)->Name("disabled/statement");

} // namespace
