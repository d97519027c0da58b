// The negative control of the accounting stress: streams that are wrong by one record.
#include "stream_checker.hpp"

#include <functional>

#include "support/catch.hpp"

namespace faultline::stress {
namespace {

/// Ten records that pass, then a dump of ten that were held, twice over.
std::vector<delivery> sound_stream() {
  std::vector<delivery> stream;
  for (std::uint64_t first = 0; first < 40; first += 20) {
    delivery passed;
    for (std::uint64_t n = first; n < first + 10; ++n) passed.numbers.push_back(n);
    delivery dumped;
    dumped.dump = true;
    for (std::uint64_t n = first + 10; n < first + 20; ++n) dumped.numbers.push_back(n);
    dumped.tripped_at = first + 19;
    stream.push_back(passed);
    stream.push_back(dumped);
  }
  return stream;
}

verdict judge(const std::vector<delivery>& stream) {
  intent meant(1, 40);
  for (std::uint64_t n = 0; n < 40; ++n) meant.expected[0].add(n);
  stream_checker checker(1, 1, 40);
  for (const delivery& d : stream) checker.receive(d);
  return checker.judge({meant});
}

} // namespace

TEST_CASE("the checker accepts a stream in which nothing is wrong") {
  const verdict v = judge(sound_stream());
  CHECK(v.sound());
  CHECK(v.deliveries == 40);
}

TEST_CASE("the checker objects to one record that is missing, wherever it stood") {
  for (std::size_t i = 0; i < 40; ++i) {
    auto stream = sound_stream();
    auto& numbers = stream[i / 10].numbers;
    numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(i % 10));
    CHECK(judge(stream).missing == 1);
  }
}

TEST_CASE("the checker objects to one record that came twice, wherever it stood") {
  for (std::size_t i = 0; i < 40; ++i) {
    auto stream = sound_stream();
    stream.back().numbers.push_back(i);
    CHECK(judge(stream).duplicates == 1);
  }
}

TEST_CASE("the checker objects to neighbours that changed places") {
  for (std::size_t i = 0; i < 40; ++i) {
    if (i % 10 == 9) continue; // the two stand in different batches
    auto stream = sound_stream();
    std::swap(stream[i / 10].numbers[i % 10], stream[i / 10].numbers[i % 10 + 1]);
    CHECK(judge(stream).disorders > 0);
  }
}

TEST_CASE("the checker objects to a dump that comes before the records which preceded its trip") {
  auto stream = sound_stream();
  std::swap(stream[2], stream[3]);
  CHECK(judge(stream).disorders > 0);
}

TEST_CASE("the checker objects to a dump that comes after records which followed its trip") {
  auto stream = sound_stream();
  std::swap(stream[1], stream[2]);
  CHECK(judge(stream).disorders > 0);
}

TEST_CASE("the checker objects to a record of work that succeeded") {
  intent meant(1, 8);
  meant.quiet.add(3);
  stream_checker checker(1, 1, 8);
  delivery d;
  d.numbers = {3};
  checker.receive(d);
  CHECK(checker.judge({meant}).not_wanted == 1);
}

} // namespace faultline::stress
