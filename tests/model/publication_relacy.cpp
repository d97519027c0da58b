// The stores by which memory changes owner (src/buffer/publication.hpp), as shipped, run by Relacy under the
// C++ memory model: it tries interleavings and every value that a load may see, and reports data races on the
// memory that is handed around. Each test also runs with one kind of order taken away, which must be caught.
//
//   publication_relacy INTERLEAVINGS
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <streambuf>

#include "buffer/publication.hpp"
#include "handover/flusher_rest.hpp" // before relacy.hpp, which redefines the orders' names

#include <relacy/relacy.hpp>

namespace {

namespace shipped = faultline::detail;

enum mutation { none, stores_relaxed, loads_relaxed };

rl::memory_order order_of(std::memory_order order, bool weakened) {
  if (weakened) return rl::mo_relaxed;
  switch (static_cast<int>(order)) { // as <atomic> numbers them
  case 0: return rl::mo_relaxed;
  case 2: return rl::mo_acquire;
  case 3: return rl::mo_release;
  case 4: return rl::mo_acq_rel;
  default: return rl::mo_seq_cst;
  }
}

/// What the shipped templates need of std::atomic, on Relacy's.
template <class T, mutation M> class checked_atomic {
 public:
  checked_atomic(T value) { value_($).store(to(value), rl::mo_relaxed); }
  T load(std::memory_order order) const {
    return static_cast<T>(value_.load(order_of(order, M == loads_relaxed), $));
  }
  void store(T value, std::memory_order order) {
    value_.store(to(value), order_of(order, M == stores_relaxed), $);
  }
  T exchange(T value, std::memory_order order) {
    return static_cast<T>(value_.exchange(to(value), both(order), $));
  }
  T fetch_or(T bits, std::memory_order order) {
    unsigned long long seen = value_.load(rl::mo_relaxed, $);
    while (!value_.compare_exchange_weak(seen, seen | to(bits), both(order), $, rl::mo_relaxed, $)) {
    }
    return static_cast<T>(seen);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure) {
    unsigned long long seen = to(expected);
    const bool done = value_.compare_exchange_strong(seen, to(desired), order_of(success, M == loads_relaxed),
                                                     $, order_of(failure, false), $);
    expected = static_cast<T>(seen);
    return done;
  }

 private:
  /// Of a read-modify-write: what is left without its store's order, or without its load's.
  static rl::memory_order both(std::memory_order order) {
    if (M == stores_relaxed) return rl::mo_acquire;
    if (M == loads_relaxed) return rl::mo_release;
    return order_of(order, false);
  }
  static unsigned long long to(T value) { return static_cast<unsigned long long>(value); }
  rl::atomic<unsigned long long> value_;
};

template <class T> using sound = checked_atomic<T, none>;
template <class T> using without_release = checked_atomic<T, stores_relaxed>;
template <class T> using without_acquire = checked_atomic<T, loads_relaxed>;

/// Stands for the queue: what was put in before the release is seen after the acquire. At most `most` in all.
class queue {
 public:
  queue() { pushed_($).store(0, rl::mo_relaxed); }
  void push(int value) {
    cells_[end_]($) = value;
    pushed_($).store(++end_, rl::mo_release);
  }
  bool take(int& value) {
    if (begin_ == pushed_($).load(rl::mo_acquire)) return false;
    value = cells_[begin_++]($);
    return true;
  }

 private:
  static constexpr int most = 8;
  rl::var<int> cells_[most];
  rl::atomic<int> pushed_;
  int end_ = 0;   // the thread's
  int begin_ = 0; // the flusher's
};

/// Buffers go to the flusher through the queue and come back by their state.
template <template <class> class Atomic>
struct buffers_change_owner : rl::test_suite<buffers_change_owner<Atomic>, 2> {
  static constexpr int hand_overs = 4;
  shipped::basic_ownership<Atomic> states[2];
  rl::var<int> records[2];
  queue handed;
  rl::atomic<int> over;

  void before() {
    over($).store(0, rl::mo_relaxed);
    states[0].set(shipped::buffer_state::owned);
  }
  void thread(unsigned index) { index == 0 ? log() : flush(); }
  void log() {
    int own = 0;
    int wanted = 0;
    for (int n = 0; n < hand_overs; ++n) {
      records[own]($) = n;
      const int spare = 1 - own;
      if (!states[spare].is_free()) continue; // it goes on in its own
      states[own].set(shipped::buffer_state::queued);
      handed.push(own);
      states[spare].set(shipped::buffer_state::owned);
      own = spare;
      ++wanted;
    }
    over($).store(1, rl::mo_release);
  }
  void flush() {
    int last = -1;
    for (bool ended = false;;) {
      ended = over($).load(rl::mo_acquire) != 0;
      int taken = 0;
      while (handed.take(taken)) {
        states[taken].take();
        const int record = records[taken]($);
        RL_ASSERT(record > last);
        last = record;
        states[taken].give_back();
      }
      if (ended) return;
      rl::yield(1, $);
    }
  }
};

/// Entries go through the ring, whose cells are used again.
template <template <class> class Atomic>
struct ring_is_used_again : rl::test_suite<ring_is_used_again<Atomic>, 2> {
  static constexpr std::uint64_t cells = 2;
  static constexpr int entries = 5;
  shipped::basic_ring_ends<Atomic> ends;
  rl::var<int> ring[cells];
  rl::atomic<int> over;

  void before() { over($).store(0, rl::mo_relaxed); }
  void thread(unsigned index) { index == 0 ? log() : flush(); }
  void log() {
    std::uint64_t next = 0;
    for (int n = 0; n < entries; ++n) {
      if (!ends.have_room(next, 1, cells)) continue; // dropped
      ring[next % cells]($) = n;
      ends.publish(++next);
    }
    over($).store(1, rl::mo_release);
  }
  void flush() {
    int last = -1;
    for (bool ended = false;;) {
      ended = over($).load(rl::mo_acquire) != 0;
      const std::uint64_t limit = ends.published();
      for (std::uint64_t at = ends.taken(); at < limit; ++at) {
        const int entry = ring[at % cells]($);
        RL_ASSERT(entry > last);
        last = entry;
        ends.release(at + 1);
      }
      if (ended) return;
      rl::yield(1, $);
    }
  }
};

/// A slot has one thread at a time, and each finds what the last one left.
template <template <class> class Atomic>
struct slots_are_recycled : rl::test_suite<slots_are_recycled<Atomic>, 3> {
  shipped::basic_tenancy<Atomic> tenancy{};
  rl::var<int> state;

  void before() { state($) = 0; }
  void thread(unsigned) {
    for (int n = 0; n < 2; ++n) {
      if (!tenancy.try_begin()) continue;
      const int seen = state($);
      state($) = seen + 1;
      RL_ASSERT(static_cast<int>(state($)) == seen + 1);
      tenancy.end();
    }
  }
};

/// Whoever sees an entry that comes behind a hand-over, or a count of hand-overs, finds that many in the
/// queue.
template <template <class> class Atomic>
struct rounds_are_whole : rl::test_suite<rounds_are_whole<Atomic>, 2> {
  shipped::basic_hand_over_count<Atomic> count;
  shipped::basic_ring_ends<Atomic> ends;
  rl::var<int> hand_overs_before[2];
  queue handed;

  void thread(unsigned index) { index == 0 ? log() : flush(); }
  void log() {
    for (int n = 1; n <= 2; ++n) {
      handed.push(n);
      count.publish(static_cast<std::uint64_t>(n));
      hand_overs_before[n - 1]($) = n;
      ends.publish(static_cast<std::uint64_t>(n));
    }
  }
  void flush() {
    const std::uint64_t limit = ends.published();
    const std::uint64_t promised = count.published();
    std::uint64_t taken = 0;
    int last = 0;
    while (handed.take(last)) ++taken;
    RL_ASSERT(taken >= promised);
    if (limit > 0) RL_ASSERT(static_cast<std::uint64_t>(hand_overs_before[limit - 1]($)) <= taken);
  }
};

/// A thread that presses and a flusher that goes to rest: one of them sees the other, so no flusher sleeps
/// while a thread that nobody heard has filled its ring.
template <template <class> class Atomic>
struct nobody_sleeps_on_a_full_ring : rl::test_suite<nobody_sleeps_on_a_full_ring<Atomic>, 2> {
  shipped::basic_rest<Atomic> rest;
  rl::atomic<int> published;
  rl::var<int> wakes;
  rl::var<int> rests;

  void before() {
    published($).store(0, rl::mo_relaxed);
    wakes($) = rests($) = 0;
  }
  void thread(unsigned index) {
    if (index == 0) {
      published($).store(1, rl::mo_relaxed); // any order: it is the word's that must suffice
      wakes($) = rest.ask(false) ? 1 : 0;
    } else {
      rest.begin();
      rests($) = published($).load(rl::mo_relaxed) == 0 ? 1 : 0;
    }
  }
  void after() { RL_ASSERT(static_cast<int>(rests($)) == 0 || static_cast<int>(wakes($)) == 1); }
};

unsigned long interleavings = 10000;

/// Keeps the beginning of what is written, in memory of its own: Relacy replaces new and delete.
class kept_text : public std::streambuf {
 public:
  kept_text() { setp(text_, text_ + sizeof text_ - 1); }
  const char* text() {
    *pptr() = 0;
    return text_;
  }

 private:
  int overflow(int c) override { return c == EOF ? 0 : c; }
  std::streamsize xsputn(const char* s, std::streamsize n) override {
    for (std::streamsize i = 0; i < n; ++i) sputc(s[i]);
    return n;
  }
  char text_[64 << 10];
};

/// Runs a test; says whether Relacy found nothing.
template <class Test> bool holds(kept_text& kept) {
  std::ostream told(&kept);
  rl::test_params how;
  how.iteration_count = interleavings;
  how.search_type = rl::sched_random;
  how.output_stream = &told;
  how.progress_stream = &told;
  return rl::simulate<Test>(how);
}

template <template <template <class> class> class Test> bool prove(const char* name) {
  static kept_text told;
  const bool sound_holds = holds<Test<sound>>(told);
  static kept_text quiet;
  const bool release_caught = !holds<Test<without_release>>(quiet);
  const bool acquire_caught = !holds<Test<without_acquire>>(quiet);
  std::printf("%s %s: %lu interleavings, without release %s, without acquire %s\n",
              sound_holds && release_caught && acquire_caught ? "ok    " : "WRONG ", name, interleavings,
              release_caught ? "caught" : "NOT CAUGHT", acquire_caught ? "caught" : "NOT CAUGHT");
  if (!sound_holds) std::printf("%s\n", told.text());
  return sound_holds && release_caught && acquire_caught;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s INTERLEAVINGS\n", argv[0]);
    return 2;
  }
  interleavings = std::strtoul(argv[1], nullptr, 10);
  bool good = prove<buffers_change_owner>("buffers change owner");
  good = prove<ring_is_used_again>("the ring is used again") && good;
  good = prove<slots_are_recycled>("slots are recycled") && good;
  good = prove<rounds_are_whole>("rounds are whole") && good;
  good = prove<nobody_sleeps_on_a_full_ring>("nobody sleeps on a full ring") && good;
  return good ? 0 : 1;
}
