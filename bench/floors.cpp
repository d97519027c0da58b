// What the machine asks for the least that a record can be: the floors beside which the other figures stand.
#include <atomic>
#include <cstdint>
#include <cstring>

#include <benchmark/benchmark.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace {

constexpr int records = 32;

struct alignas(64) bare_buffer {
  char* head;
  char data[4096];
};

std::uint64_t ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

template <bool ReadsClock>
[[gnu::noinline]] void store_40_bytes(bare_buffer& b, std::uint64_t x, std::uint32_t y, double z) {
  const std::uint64_t word = 0x1234;
  const std::uint64_t time = ReadsClock ? ticks() : word;
  char* at = b.head;
  std::memcpy(at, &word, 8);
  std::memcpy(at + 8, &time, 8);
  std::memcpy(at + 16, &x, 8);
  std::memcpy(at + 24, &y, 4);
  std::memcpy(at + 28, &z, 8);
  b.head = at + 40;
}

/// 40 bytes stored 32 times, and the buffer rewound: a record without levels, loggers, scopes, bounds or a
/// runtime.
template <bool ReadsClock> void floor_store(benchmark::State& state) {
  static bare_buffer b;
  for (auto _ : state) {
    b.head = b.data;
    for (int i = 0; i < records; ++i)
      store_40_bytes<ReadsClock>(b, static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), i);
    benchmark::DoNotOptimize(b.data);
  }
  state.SetItemsProcessed(state.iterations() * records);
}
BENCHMARK_TEMPLATE(floor_store, false)->Name("floor/store");
BENCHMARK_TEMPLATE(floor_store, true)->Name("floor/rdtsc_and_store");

void floor_rdtsc(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ticks());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(floor_rdtsc)->Name("floor/rdtsc");

/// One relaxed load and a branch not taken: what a disabled statement cannot go below.
void floor_disabled(benchmark::State& state) {
  static std::atomic<int> threshold{5}; // relaxed: nothing hangs on it
  for (auto _ : state) {
    if (threshold.load(std::memory_order_relaxed) <= 1) benchmark::DoNotOptimize(ticks());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(floor_disabled)->Name("floor/disabled");

} // namespace
