// What is measured by instructions.sh under callgrind: one case, so many times.
//
//   instructions CASE ITERATIONS
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <valgrind/callgrind.h>

#include <faultline/faultline.hpp>

namespace {

using faultline::clock_kind;
using faultline::error_scope;
using faultline::logger;

/// As programs have one: the compiler loads it for each statement.
logger of_the_program = faultline::get_logger("measured");

/// The compiler knows nothing of the value afterwards.
template <class T> void hide(T& value) { asm volatile("" : "+m"(value)); }

/// Counts between its begin and its end. Both cost the same in each case, so that differences are exact.
class collected {
 public:
  collected() { CALLGRIND_TOGGLE_COLLECT; }
  collected(const collected&) = delete;
  collected& operator=(const collected&) = delete;
  ~collected() { CALLGRIND_TOGGLE_COLLECT; }
};

struct subject {
  explicit subject(clock_kind clock)
      : r({.default_target = faultline::make_null_handler(),
           .buffer_bytes = std::size_t{16} << 20, // no segment ends within a measurement
           .clock = clock,
           .flusher =
               faultline::flusher_mode::manual, // one thread, or callgrind would count the flusher's work
           .storm_dumps_per_second = 0}),
        lg(r.get_logger("measured")) {
    r.attach_thread();
    // The processor that valgrind imitates announces no invariant time stamp counter; it has one all the
    // same.
    auto& cursor = *faultline::detail::current_cursor;
    cursor.has_tsc = true;
    cursor.plain_scopes = true;
    if (clock == clock_kind::tsc) {
      cursor.clock = faultline::detail::statement_clock::tsc;
      cursor.base_mask |= faultline::detail::timed;
    }
  }
  faultline::runtime r;
  logger lg;
};

/// The loop without a statement, to be taken off the others.
void loop(const subject&, std::uint64_t n) {
  std::uint32_t bytes = 512;
  double took = 0.25;
  hide(bytes);
  hide(took);
  const collected here;
  for (std::uint64_t i = 0; i < n; ++i) asm volatile("" : : "r"(i));
}

/// Statement A.
template <bool Control, class Bytes = std::uint32_t> void numbers(const subject& s, std::uint64_t n) {
  Bytes bytes = 512;
  double took = 0.25;
  hide(bytes);
  hide(took);
  const logger lg = s.lg;
  const error_scope scope(lg, {.capacity = 1'000'000});
  FAULTLINE_DEBUG(lg, "not measured");
  const collected here;
  for (std::uint64_t i = 0; i < n; ++i) {
    FAULTLINE_DEBUG(lg, "request {} handled {} bytes in {} us", i, bytes, took);
    if constexpr (Control) asm volatile("nop");
  }
}

/// Statement A of a logger at namespace scope.
void of_program(const subject& s, std::uint64_t n) {
  std::uint32_t bytes = 512;
  double took = 0.25;
  hide(bytes);
  hide(took);
  of_the_program = s.lg;
  const error_scope scope(of_the_program, {.capacity = 1'000'000});
  FAULTLINE_DEBUG(of_the_program, "not measured");
  const collected here;
  for (std::uint64_t i = 0; i < n; ++i)
    FAULTLINE_DEBUG(of_the_program, "request {} handled {} bytes in {} us", i, bytes, took);
}

/// Statement B.
void text(const subject& s, std::uint64_t n) {
  std::string key(24, 'k');
  hide(key);
  const logger lg = s.lg;
  const error_scope scope(lg, {.capacity = 1'000'000});
  const collected here;
  for (std::uint64_t i = 0; i < n; ++i) FAULTLINE_DEBUG(lg, "key {} in shard {}", key, static_cast<int>(i));
}

void disabled(const subject& s, std::uint64_t n) {
  const logger lg = s.lg;
  const error_scope scope(lg);
  const collected here;
  for (std::uint64_t i = 0; i < n; ++i) {
    FAULTLINE_TRACE(lg, "request {}", i);
    asm volatile("" : : "r"(i));
  }
}

void scopes(const subject& s, std::uint64_t n) {
  const logger lg = s.lg;
  const collected here;
  for (std::uint64_t i = 0; i < n; ++i) const error_scope scope(lg);
}

/// 33 records, the last of them an error, and the hand-over by pointer.
void trip(subject& s, std::uint64_t n) {
  const logger lg = s.lg;
  std::uint32_t bytes = 512;
  double took = 0.25;
  hide(bytes);
  hide(took);
  for (std::uint64_t i = 0; i < n; ++i) {
    {
      const collected here;
      const error_scope scope(lg);
      for (std::uint64_t k = 0; k < 32; ++k)
        FAULTLINE_DEBUG(lg, "request {} handled {} bytes in {} us", k, bytes, took);
      FAULTLINE_ERROR(lg, "request {} failed", i);
    }
    const std::uint64_t before = s.r.stats().hand_overs;
    while (s.r.stats().hand_overs == before) (void)s.r.run_once();
  }
}

void pause_only(std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) const collected here;
}

/// One record of the pass path, outside any scope.
void pass(subject& s, std::uint64_t n) {
  logger lg = s.r.get_logger("passed");
  lg.add_handler(faultline::make_null_handler());
  FAULTLINE_INFO(lg, "not measured {}", std::uint64_t{0});
  for (std::uint64_t i = 0; i < n; ++i) {
    {
      const collected here;
      FAULTLINE_INFO(lg, "passed {}", i);
    }
    while (s.r.run_once()) {
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CASE ITERATIONS\n", argv[0]);
    return 2;
  }
  const std::string_view which = argv[1];
  const std::uint64_t n = std::strtoull(argv[2], nullptr, 10);
  subject s(which.ends_with("_tsc")      ? clock_kind::tsc
            : which.ends_with("_coarse") ? clock_kind::coarse
                                         : clock_kind::scope);
  const std::string_view name = which.substr(0, which.rfind('_'));
  if (which == "loop")
    loop(s, n);
  else if (which == "pause")
    pause_only(n);
  else if (name == "numbers")
    numbers<false>(s, n);
  else if (name == "volatile")
    numbers<false, volatile std::uint32_t>(s, n);
  else if (name == "control")
    numbers<true>(s, n);
  else if (which == "program")
    of_program(s, n);
  else if (name == "text")
    text(s, n);
  else if (which == "disabled")
    disabled(s, n);
  else if (which == "scope")
    scopes(s, n);
  else if (which == "trip")
    trip(s, n);
  else if (which == "pass")
    pass(s, n);
  else
    return 2;
  return s.r.stop() ? 0 : 1;
}
