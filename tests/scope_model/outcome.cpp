#include "scope_model/outcome.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace faultline::scope_model {
namespace {

struct named_count {
  std::string_view name;
  std::uint64_t runtime_stats::*count;
};

constexpr std::array<named_count, 20> counts{{
    {"logged", &runtime_stats::logged},
    {"handed_over", &runtime_stats::handed_over},
    {"passed_only", &runtime_stats::passed_only},
    {"discarded", &runtime_stats::discarded},
    {"lost", &runtime_stats::lost},
    {"forgotten", &runtime_stats::forgotten},
    {"taken", &runtime_stats::taken},
    {"written", &runtime_stats::written},
    {"suppressed", &runtime_stats::suppressed},
    {"skipped", &runtime_stats::skipped},
    {"flusher_lost", &runtime_stats::flusher_lost},
    {"in_flight", &runtime_stats::in_flight},
    {"dumps", &runtime_stats::dumps},
    {"hand_overs", &runtime_stats::hand_overs},
    {"contexts_refused", &runtime_stats::contexts_refused},
    {"contexts_suppressed", &runtime_stats::contexts_suppressed},
    {"outbox_full", &runtime_stats::outbox_full},
    {"scopes_refused", &runtime_stats::scopes_refused},
    {"scopes_abandoned", &runtime_stats::scopes_abandoned},
    {"format_errors", &runtime_stats::format_errors},
}};

std::string text_of(const block& b) {
  std::string text = b.head.empty() ? std::string() : "  " + b.head + '\n';
  for (const received_record& r : b.records) text += (b.head.empty() ? "  " : "    ") + r.text + '\n';
  return text;
}

bool equal(const block& a, const block& b) {
  return a.head == b.head &&
         std::equal(a.records.begin(), a.records.end(), b.records.begin(), b.records.end(),
                    [](const auto& x, const auto& y) { return x.text == y.text; });
}

} // namespace

std::string line_of(level l, std::string_view logger, std::string_view scope, std::string_view message,
                    std::string_view exception) {
  std::string text;
  for (const std::string_view part : {to_string(l), logger, scope, message}) (text += part) += '|';
  return text += exception;
}

std::string head_of(const dump_envelope& e) {
  // What a program does takes no millisecond, but for the time that it lets pass.
  const auto duration = std::chrono::round<std::chrono::milliseconds>(e.duration);
  return fmt::format("dump {} scope={} logger={} trigger={} reason={} after={}ms records={} forgotten={} "
                     "truncated={} lost_contexts={}",
                     e.id, e.scope.name, e.logger, to_string(e.trigger), e.reason, duration.count(),
                     e.records, e.forgotten, e.truncated, e.lost_contexts);
}

std::string text_of(const outcome& o) {
  std::string text;
  for (std::size_t h = 0; h < o.at.size(); ++h) {
    if (!o.at[h].empty()) text += fmt::format("h{} receives\n", h);
    for (const block& b : o.at[h]) text += text_of(b);
  }
  for (const named_count& c : counts)
    if (o.stats.*c.count != 0) text += fmt::format("{}={} ", c.name, o.stats.*c.count);
  return text + '\n';
}

std::string difference(const outcome& expected, const outcome& seen) {
  if (!seen.complaint.empty()) return seen.complaint;
  for (std::size_t h = 0; h < expected.at.size(); ++h) {
    const auto& should = expected.at[h];
    const auto& is = seen.at[h];
    const auto [a, b] = std::mismatch(should.begin(), should.end(), is.begin(), is.end(), equal);
    if (a == should.end() && b == is.end()) continue;
    return fmt::format("h{} should receive next\n{}and receives\n{}", h,
                       a == should.end() ? "  nothing\n" : text_of(*a),
                       b == is.end() ? "  nothing\n" : text_of(*b));
  }
  for (const named_count& c : counts)
    if (expected.stats.*c.count != seen.stats.*c.count)
      return fmt::format("{} should be {} and is {}\n", c.name, expected.stats.*c.count, seen.stats.*c.count);
  return {};
}

} // namespace faultline::scope_model
