#include <array>

#include <fmt/format.h>

#include <faultline/runtime.hpp>

namespace faultline {
namespace {

struct named_count {
  std::string_view name;
  std::uint64_t runtime_stats::*value;
};

#define FAULTLINE_COUNT(name)                                                                                \
  named_count { #name, &runtime_stats::name }
constexpr std::array counts{
    FAULTLINE_COUNT(logged),
    FAULTLINE_COUNT(handed_over),
    FAULTLINE_COUNT(passed_only),
    FAULTLINE_COUNT(discarded),
    FAULTLINE_COUNT(lost),
    FAULTLINE_COUNT(forgotten),
    FAULTLINE_COUNT(taken),
    FAULTLINE_COUNT(written),
    FAULTLINE_COUNT(suppressed),
    FAULTLINE_COUNT(skipped),
    FAULTLINE_COUNT(flusher_lost),
    FAULTLINE_COUNT(in_flight),
    FAULTLINE_COUNT(dumps),
    FAULTLINE_COUNT(hand_overs),
    FAULTLINE_COUNT(contexts_refused),
    FAULTLINE_COUNT(contexts_suppressed),
    FAULTLINE_COUNT(outbox_full),
    FAULTLINE_COUNT(reentered),
    FAULTLINE_COUNT(after_stop),
    FAULTLINE_COUNT(scopes_refused),
    FAULTLINE_COUNT(scopes_abandoned),
    FAULTLINE_COUNT(handler_errors),
    FAULTLINE_COUNT(format_errors),
    FAULTLINE_COUNT(handler_lost),
    FAULTLINE_COUNT(threads),
    FAULTLINE_COUNT(thread_memory_bytes),
    FAULTLINE_COUNT(rounds),
};
#undef FAULTLINE_COUNT
static_assert(sizeof(runtime_stats) == counts.size() * sizeof(std::uint64_t), "each count has its name");

} // namespace

std::string to_string(const runtime_stats& s) {
  std::string text;
  for (const named_count& c : counts)
    if (s.*c.value != 0) text += fmt::format("{}{}={}", text.empty() ? "" : " ", c.name, s.*c.value);
  return text.empty() ? "nothing logged" : text;
}

} // namespace faultline
