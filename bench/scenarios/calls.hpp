// What a statement costs on its thread, measured by Google Benchmark in batches: `held`, `scope_size`,
// `argument_bytes`, `disabled`, `empty_scope`.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "../run.hpp"

namespace bench {

/// Hands Google Benchmark's medians on as lines of JSON; each run's name is what was done.
class line_reporter final : public benchmark::BenchmarkReporter {
 public:
  line_reporter(const run& r, std::string unit) : run_(r), unit_(std::move(unit)) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& r : runs) {
      const auto rate = r.counters.find("items_per_second");
      if (r.aggregate_name != "median" || rate == r.counters.end()) continue;
      run_.emit(r.run_name.function_name, "median", unit_, 1e9 / rate->second.value,
                r.counters.at("x").value);
    }
  }

 private:
  const run& run_;
  std::string unit_;
};

/// Registers one measurement: `batch()` makes `records` records, and is timed; `between()` is not. The figure
/// is the median of several repetitions, so that an interrupt spoils one of them and not the figure.
template <class Batch, class Between>
void measure_batches(const run& r, const std::string& what, double x, long records, double seconds,
                     Batch batch, Between between) {
  const int repetitions = r.scaled(7, 5);
  const auto timed = [=](benchmark::State& state) {
    const tick_clock& clock = tick_clock::instance();
    // What happens once, such as a first statement's, is not a batch's; and processors take a while to wake.
    const std::uint64_t warm = wall_ns() + 3'000'000;
    do {
      batch();
      between();
    } while (wall_ns() < warm);
    for (auto _ : state) {
      const std::uint64_t begin = fenced_ticks();
      batch();
      const std::uint64_t end = fenced_ticks();
      const std::uint64_t passed = end - begin;
      state.SetIterationTime(clock.to_ns(passed - std::min(passed, clock.overhead_ticks)) * 1e-9);
      between();
    }
    state.SetItemsProcessed(state.iterations() * records);
    state.counters["x"] = x;
  };
  benchmark::RegisterBenchmark(what.c_str(), timed)
      ->UseManualTime()
      ->MinTime(seconds / repetitions)
      ->Repetitions(repetitions)
      ->ReportAggregatesOnly();
}

inline void run_registered(const run& r, const std::string& unit) {
  line_reporter reporter(r, unit);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::ClearRegisteredBenchmarks();
}

template <class Variant> void settle_if_busy(Variant& v) {
  if constexpr (Variant::has_busy_back_end) v.settle();
}

/// Back ends take many times as long as the calls that are measured: less is measured of them.
template <class Variant> inline constexpr double share_of_time = Variant::has_busy_back_end ? 0.2 : 1;

/// A batch is 64 requests; the back end has until the next one to work it off.
inline constexpr int requests_per_batch = 64;

/// 32 records a request, nothing fails. Hot: one request after the other. Cold: before each request the
/// first-level cache is filled with other memory, and the request alone is timed.
template <class Variant> void measure_held(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  const std::string user(user_name);
  const double seconds = r.scaled(0.06, 0.02) * share_of_time<Variant>;
  const auto between = [&v] { settle_if_busy(*v); };
  measure_batches(
      r, "A hot", 0, requests_per_batch * records_per_request, seconds,
      [&log] {
        for (int i = 0; i < requests_per_batch; ++i) request_a<Variant>(log, records_per_request);
      },
      between);
  other_work work;
  int since_settled = 0;
  measure_batches(
      r, "A cold", 0, records_per_request, seconds / 20,
      [&log] { request_a<Variant>(log, records_per_request); },
      [&] {
        if (++since_settled % requests_per_batch == 0) settle_if_busy(*v);
        work.run();
      });
  measure_batches(
      r, "B hot", 0, requests_per_batch * records_per_request, seconds,
      [&] {
        for (int i = 0; i < requests_per_batch; ++i) request_b<Variant>(log, user, records_per_request);
      },
      between);
  run_registered(r, "ns/record");
}

template <class Variant> void measure_scope_size(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  const std::vector<int> sizes = r.quick ? std::vector<int>{1, 10, 100, 1000, 10'000}
                                         : std::vector<int>{1, 3, 10, 32, 100, 316, 1000, 3162, 10'000};
  for (const int size : sizes) {
    const int requests = std::max(1, 2048 / size);
    measure_batches(
        r, "A", size, static_cast<long>(requests) * size, r.scaled(0.02, 0.005) * share_of_time<Variant>,
        [&log, requests, size] {
          for (int i = 0; i < requests; ++i) request_a<Variant>(log, size);
        },
        [&v] { settle_if_busy(*v); });
  }
  run_registered(r, "ns/record");
}

template <class Variant> void measure_argument_bytes(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  const std::vector<int> sizes = r.quick ? std::vector<int>{0, 16, 64, 256, 1024}
                                         : std::vector<int>{0, 8, 16, 32, 64, 128, 256, 512, 1024};
  std::vector<std::string> users;
  for (const int size : sizes) users.emplace_back(static_cast<std::size_t>(size), 'u');
  for (const std::string& user : users) {
    measure_batches(
        r, "B", static_cast<double>(user.size()), 8 * records_per_request,
        r.scaled(0.01, 0.003) * share_of_time<Variant>,
        [&log, &user] {
          for (int i = 0; i < 8; ++i) request_b<Variant>(log, user, records_per_request);
        },
        [&v] { settle_if_busy(*v); });
  }
  run_registered(r, "ns/record");
}

template <class Variant> void measure_disabled(const run& r) {
  pinned_variant<Variant> v(r.make_setup(true));
  const auto log = v->make_log();
  constexpr int statements = 10'000;
  measure_batches(
      r, "A", 0, statements, r.scaled(0.02, 0.005),
      [&log] {
        for (int i = 0; i < statements; ++i) {
          log.a(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), static_cast<double>(i));
          benchmark::ClobberMemory(); // so that the level is loaded each time
        }
      },
      [] {});
  run_registered(r, "ns/statement");
}

template <class Variant> void measure_empty_scope(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  constexpr int scopes = 2'000;
  measure_batches(
      r, "empty", 0, scopes, r.scaled(0.02, 0.005),
      [&log] {
        for (int i = 0; i < scopes; ++i) {
          const typename Variant::request request(log);
          benchmark::ClobberMemory();
        }
      },
      [] {});
  run_registered(r, "ns/scope");
}

} // namespace bench
