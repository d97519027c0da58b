// `latency`: each call on its own, through the latency recorder.
#pragma once

#include <algorithm>
#include <memory>

#include "../run.hpp"
#include "calls.hpp"

namespace bench {

/// What passed between two fenced readings, less what passes when nothing is between them.
inline std::uint64_t latency_of(std::uint64_t begin, std::uint64_t end) noexcept {
  const std::uint64_t passed = end - begin;
  return passed - std::min(passed, tick_clock::instance().overhead_ticks);
}

inline void emit_percentiles(const run& r, std::string_view what, const latency_histogram& h) {
  const tick_clock& clock = tick_clock::instance();
  struct quantile {
    double percent;
    const char* name;
  };
  for (const quantile& q :
       {quantile{50, "p50"}, {90, "p90"}, {99, "p99"}, {99.9, "p99.9"}, {99.99, "p99.99"}})
    r.emit(what, q.name, "ns", clock.to_ns(h.percentile(q.percent)), q.percent);
  r.emit(what, "max", "ns", clock.to_ns(h.max()), 100);
}

template <class Variant> void measure_latency(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  const auto histogram = std::make_unique<latency_histogram>();
  const int requests = r.scaled(10'000, 3'000);
  request_a<Variant>(log, records_per_request); // the first call of a statement is another matter
  for (int n = 0; n < requests; ++n) {
    {
      const typename Variant::request request(log);
      for (int i = 0; i < records_per_request; ++i) {
        const std::uint64_t begin = fenced_ticks();
        log.a(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), static_cast<double>(i));
        histogram->record(latency_of(begin, fenced_ticks()));
      }
    }
    if (n % requests_per_batch == 0) settle_if_busy(*v);
  }
  emit_percentiles(r, "A", *histogram);
  r.emit("clock", "step", "ns", tick_clock::instance().step_ns);
  r.emit("clock", "overhead", "ns", tick_clock::instance().to_ns(tick_clock::instance().overhead_ticks));
}

} // namespace bench
