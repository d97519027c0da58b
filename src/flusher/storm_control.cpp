#include "flusher/storm_control.hpp"

#include <algorithm>

namespace faultline::detail {

void storm_control::fill(bucket& b, std::uint64_t now_ns) const noexcept {
  if (now_ns <= b.filled_ns) return;
  b.tokens = std::min(burst_, b.tokens + rate_ * static_cast<double>(now_ns - b.filled_ns) * 1e-9);
  b.filled_ns = now_ns;
}

void storm_control::set_limits(std::uint32_t dumps_per_second, std::uint32_t burst) noexcept {
  for (auto& [site, b] : buckets_)
    b.tokens = std::clamp(b.tokens + static_cast<double>(burst) - burst_, 0.0, static_cast<double>(burst));
  rate_ = dumps_per_second;
  burst_ = burst;
}

bool storm_control::allow(std::uint32_t site, std::uint64_t now_ns, const std::vector<handler*>& targets) {
  if (rate_ == 0 || site == 0) return true;
  bucket& b = buckets_.try_emplace(site, bucket{burst_, now_ns, false, 0, 0, {}}).first->second;
  fill(b, now_ns);
  if (b.tokens >= 1 && !b.storm) {
    b.tokens -= 1;
    return true;
  }
  if (!b.storm) {
    b.storm = true;
    b.told_ns = now_ns;
    board_.add(site);
  }
  ++b.suppressed;
  for (handler* h : targets)
    if (std::find(b.targets.begin(), b.targets.end(), h) == b.targets.end()) b.targets.push_back(h);
  return false;
}

std::vector<storm_control::ended_storm> storm_control::summaries(std::uint64_t now_ns, bool all) {
  constexpr std::uint64_t interval_ns = 1'000'000'000;
  std::vector<ended_storm> ended;
  for (auto& [site, b] : buckets_) {
    if (!b.storm) continue;
    fill(b, now_ns);
    const bool over = all || rate_ == 0 || b.tokens >= std::max(1.0, burst_ / 10);
    if (!over && now_ns - b.told_ns < interval_ns) continue;
    const std::uint64_t contexts = b.suppressed + board_.remove(site);
    if (contexts > 0) ended.push_back({site, contexts, b.targets});
    b.suppressed = 0;
    b.told_ns = now_ns;
    b.storm = !over;
    if (!over) board_.add(site);
  }
  return ended;
}

} // namespace faultline::detail
