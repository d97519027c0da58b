#include <faultline/trace.hpp>

#include <bit>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fork_guard.hpp"
#include "buffer/thread_slot.hpp"
#include "front/core.hpp"

namespace faultline {
namespace {

/// xoshiro256++ (Blackman and Vigna, 2018): enough state for ids of 128 bits.
struct id_source {
  std::uint64_t epoch; ///< of the process that seeded it; 0: none did
  std::array<std::uint64_t, 4> state;

  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state[0] + state[3], 23) + state[0];
    const std::uint64_t shifted = state[1] << 17U;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = std::rotl(state[3], 45);
    return result;
  }

  void seed() noexcept {
    // Where the kernel has no randomness yet nobody waits for it: what differs between threads must do.
    if (::getrandom(state.data(), sizeof state, GRND_NONBLOCK) != static_cast<::ssize_t>(sizeof state))
      state = {static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()),
               static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()),
               static_cast<std::uint64_t>(::getpid()), static_cast<std::uint64_t>(::gettid())};
  }

  template <std::size_t N> void fill(std::array<std::uint8_t, N>& id) noexcept {
    static_assert(N % sizeof(std::uint64_t) == 0);
    do {
      for (std::size_t i = 0; i < N; i += sizeof(std::uint64_t)) {
        const std::uint64_t random = next();
        std::memcpy(id.data() + i, &random, sizeof random);
      }
    } while (id == std::array<std::uint8_t, N>{});
  }
};

constinit thread_local id_source ids_of_thread{};

id_source& ids() noexcept {
  id_source& source = ids_of_thread;
  if (const std::uint64_t epoch = detail::fork_guard::present_epoch(); source.epoch != epoch) {
    source.seed();
    source.epoch = epoch;
  }
  return source;
}

std::optional<trace_context> trace_of(detail::thread_slot& slot) noexcept {
  if (!slot.in_scope() || slot.place().open.load(std::memory_order_relaxed) == nullptr) return std::nullopt;
  const auto scopes = slot.scopes();
  for (std::size_t i = scopes.size(); i-- > 0;)
    if (scopes[i].context.traced() && !scopes[i].abandoned())
      return trace_context{scopes[i].context.trace(), scopes[i].context.span()};
  return std::nullopt;
}

/// Lower-case hexadecimal digits to bytes; false for anything else and for zeros alone, which the
/// specification forbids.
template <std::size_t N> bool parse_hex(std::string_view digits, std::array<std::uint8_t, N>& out) noexcept {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  bool any = false;
  for (std::size_t i = 0; i < N; ++i) {
    const int high = digit(digits[2 * i]);
    const int low = digit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
    any = any || out[i] != 0;
  }
  return any;
}

} // namespace

trace_context make_trace_context() noexcept {
  trace_context made;
  ids().fill(made.trace_id);
  ids().fill(made.span_id);
  return made;
}

trace_context trace_context::child() const noexcept {
  trace_context made = *this;
  ids().fill(made.span_id);
  return made;
}

std::string trace_context::traceparent() const {
  return fmt::format("00-{:02x}-{:02x}-01", fmt::join(trace_id, ""), fmt::join(span_id, ""));
}

std::optional<trace_context> current_trace() noexcept {
  detail::thread_slot* const used_last = detail::current_cursor->slot;
  if (used_last != nullptr)
    if (auto found = trace_of(*used_last)) return found;
  for (detail::thread_slot* slot = detail::first_slot(); slot != nullptr; slot = slot->next_of_thread)
    if (slot != used_last)
      if (auto found = trace_of(*slot)) return found;
  return std::nullopt;
}

std::optional<trace_context> parse_traceparent(std::string_view header) noexcept {
  // W3C Trace Context §3.2: version "-" trace-id "-" parent-id "-" flags; later versions may go on behind
  // that.
  constexpr std::size_t length = 55;
  std::array<std::uint8_t, 1> version{};
  trace_context parsed;
  if (header.size() < length || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  const bool flags_are_hex =
      header.substr(53, 2).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  const bool first_version = header.substr(0, 2) == "00";
  if (!first_version && (!parse_hex(header.substr(0, 2), version) || version[0] == 0xFF)) return std::nullopt;
  if (header.size() > length && (first_version || header[length] != '-')) return std::nullopt;
  if (!flags_are_hex || !parse_hex(header.substr(3, 32), parsed.trace_id) ||
      !parse_hex(header.substr(36, 16), parsed.span_id))
    return std::nullopt;
  return parsed;
}

} // namespace faultline
