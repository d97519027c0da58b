// What handlers received, held against what threads logged. It knows nothing of faultline: its inputs are
// numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline::stress {

/// One bit for each record number of one thread.
class number_set {
 public:
  explicit number_set(std::size_t numbers) : words_((numbers + 63) / 64) {}

  /// False if it was there already.
  bool add(std::uint64_t number) {
    std::uint64_t& word = words_.at(number / 64);
    const std::uint64_t bit = std::uint64_t{1} << (number % 64);
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return fresh;
  }
  [[nodiscard]] bool has(std::uint64_t number) const {
    return (words_.at(number / 64) >> (number % 64) & 1U) != 0;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& words() const noexcept { return words_; }

 private:
  std::vector<std::uint64_t> words_;
};

/// What one thread of the program says about its own records, before they are checked.
struct intent {
  intent(std::size_t handlers, std::size_t numbers)
      : expected(handlers, number_set(numbers)), quiet(numbers) {}
  std::vector<number_set> expected; ///< for each handler: the numbers that must reach it
  number_set quiet;                 ///< numbers that no handler may see unless it expects them
};

/// A batch as a handler saw it, reduced to numbers.
struct delivery {
  std::size_t handler = 0;
  std::size_t thread = 0;
  std::size_t life = 0; ///< one thread of the program runs as several threads in turn; order holds within one
  bool dump = false;
  /// For a dump: the thread's number when it tripped, where the dump says so.
  std::uint64_t tripped_at = no_number;
  std::vector<std::uint64_t> numbers;
  static constexpr std::uint64_t no_number = ~std::uint64_t{0};
};

struct verdict {
  std::uint64_t duplicates = 0; ///< a handler saw a number twice
  std::uint64_t disorders = 0;  ///< a number came after a later one, or a dump out of its place
  std::uint64_t missing = 0;    ///< records that did not reach some handler that must have them
  std::uint64_t not_wanted = 0; ///< records of work that succeeded, at a handler
  std::uint64_t deliveries = 0; ///< numbers received, by all handlers
  [[nodiscard]] bool sound() const noexcept {
    return duplicates == 0 && disorders == 0 && missing == 0 && not_wanted == 0;
  }
};

class stream_checker {
 public:
  stream_checker(std::size_t handlers, std::size_t threads, std::size_t numbers)
      : threads_(threads), seen_(handlers * threads, number_set(numbers)), places_(handlers * threads) {}

  /// Deliveries in the order in which the handlers got them.
  void receive(const delivery& d);

  /// The end: what came, beside what each thread meant. `intents` has one element for each thread.
  [[nodiscard]] verdict judge(const std::vector<intent>& intents) const;

 private:
  struct place {
    std::size_t life = 0;
    std::uint64_t next = 0; ///< no number below it may come on the pass path, and no dump from before it
  };
  std::size_t threads_;
  std::vector<number_set> seen_;
  std::vector<place> places_;
  verdict so_far_;
};

inline void stream_checker::receive(const delivery& d) {
  const std::size_t index = d.handler * threads_ + d.thread;
  place& at = places_[index];
  if (d.life != at.life) at = {d.life, 0};
  std::uint64_t before = 0; // numbers of a dump rise, but may lie before what the pass path wrote
  for (const std::uint64_t number : d.numbers) {
    ++so_far_.deliveries;
    if (!seen_[index].add(number)) ++so_far_.duplicates;
    std::uint64_t& least = d.dump ? before : at.next;
    if (number < least) ++so_far_.disorders;
    least = number + 1;
  }
  if (d.tripped_at == delivery::no_number) return;
  // A call may trip a scope when the record before it has passed already.
  if (d.tripped_at + 1 < at.next) ++so_far_.disorders;
  at.next = std::max(at.next, d.tripped_at + 1);
}

inline verdict stream_checker::judge(const std::vector<intent>& intents) const {
  const auto bits = [](std::uint64_t word) { return static_cast<std::uint64_t>(__builtin_popcountll(word)); };
  verdict v = so_far_;
  for (std::size_t thread = 0; thread < threads_; ++thread) {
    const intent& meant = intents[thread];
    const auto& quiet = meant.quiet.words();
    for (std::size_t w = 0; w < quiet.size(); ++w) {
      std::uint64_t missing = 0;
      for (std::size_t handler = 0; handler < meant.expected.size(); ++handler) {
        const std::uint64_t seen = seen_[handler * threads_ + thread].words()[w];
        const std::uint64_t expected = meant.expected[handler].words()[w];
        missing |= expected & ~seen;
        v.not_wanted += bits(seen & quiet[w] & ~expected);
      }
      v.missing += bits(missing);
    }
  }
  return v;
}

} // namespace faultline::stress
