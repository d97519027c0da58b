// The pass path end to end: from the statement until the text is in a file, with a time stamp a record. Sent
// in bursts that the outbox takes, so that nothing is dropped.
#include <cstdio>
#include <string>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "statements.hpp"

namespace {

using namespace faultline;
using namespace faultline::bench;

void pass_to_file(benchmark::State& state) {
  const std::string path = "/dev/shm/faultline_bench." + std::to_string(::getpid());
  constexpr int burst = 20'000;
  {
    runtime rt({.outbox_bytes = 4U << 20});
    logger lg = rt.get_logger("bench");
    lg.add_handler(make_file_handler(path, {.append = false}));
    rt.attach_thread();
    for (auto _ : state) {
      for (int i = 0; i < burst; ++i) statement_a(lg, i);
      if (!rt.flush()) state.SkipWithError("flush failed");
    }
    if (rt.stats().outbox_full != 0) state.SkipWithError("the outbox dropped records");
  }
  state.SetItemsProcessed(state.iterations() * burst);
  std::remove(path.c_str());
}
BENCHMARK(pass_to_file)->Name("pass/to_file")->UseRealTime()->Iterations(30);

} // namespace
