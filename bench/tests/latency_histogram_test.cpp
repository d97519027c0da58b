// The latency recorder against sorted values: a percentile is off by less than 1 %, and small values are
// exact.
#include "../latency_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

namespace {

using bench::latency_histogram;

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "failed: %s\n", what);
}

constexpr double percents[] = {0, 1, 25, 50, 90, 99, 99.9, 99.99, 100};

/// The value at which so many per cent are at most it, exactly.
std::uint64_t exact(const std::vector<std::uint64_t>& sorted, double percent) {
  const double wanted = std::ceil(static_cast<double>(sorted.size()) * percent / 100);
  return sorted[static_cast<std::size_t>(std::max(wanted, 1.0)) - 1];
}

/// How many percentiles are off by more than `tolerance` of themselves.
int differences(std::vector<std::uint64_t> values, double tolerance) {
  const auto h = std::make_unique<latency_histogram>();
  for (const std::uint64_t v : values) h->record(v);
  std::sort(values.begin(), values.end());
  expect(h->count() == values.size(), "every value is counted");
  expect(h->max() == values.back(), "the greatest value is exact");
  int different = 0;
  for (const double percent : percents) {
    const auto wanted = static_cast<double>(exact(values, percent));
    different += std::abs(static_cast<double>(h->percentile(percent)) - wanted) > wanted * tolerance ? 1 : 0;
  }
  return different;
}

} // namespace

int main() {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> small(10'000);
  for (auto& v : small) v = random() % 256;
  expect(differences(small, 0) == 0, "values below 256 are exact");

  std::vector<std::uint64_t> wide(100'000);
  for (auto& v : wide) v = random() >> (24 + random() % 40);
  expect(differences(wide, 0.01) == 0, "any value is within 1 %");
  expect(differences(wide, 1e-6) > 0, "the comparison can fail");

  std::vector<std::uint64_t> edges;
  for (unsigned bit = 0; bit < 40; ++bit)
    for (const std::uint64_t off : {std::uint64_t{0}, std::uint64_t{1}})
      edges.push_back((std::uint64_t{1} << bit) - off);
  expect(differences(edges, 0.01) == 0, "the edges of the buckets are within 1 %");

  const auto h = std::make_unique<latency_histogram>();
  expect(h->percentile(50) == 0, "an empty histogram has no percentiles");
  h->record(~std::uint64_t{0});
  expect(h->max() == latency_histogram::largest, "a value beyond the range counts as the largest");
  h->clear();
  expect(h->count() == 0 && h->max() == 0, "a cleared histogram is empty");
  return failures == 0 ? 0 : 1;
}
