#include "buffer/outbox.hpp"

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

struct ring {
  explicit ring(std::size_t bytes) : memory(bytes) { box.place(memory.data(), bytes); }
  std::vector<std::byte> memory;
  outbox box;

  bool send(std::uint64_t number, std::size_t bytes, bool tripping = false) {
    outbox_entry* e = box.prepare(0, 0, bytes, tripping);
    if (e == nullptr) return false;
    std::memcpy(e->record(), &number, sizeof number);
    box.publish(*e);
    return true;
  }
  /// Takes what is published; returns the numbers.
  std::vector<std::uint64_t> take() {
    std::vector<std::uint64_t> out;
    std::uint64_t at = box.taken();
    const std::uint64_t end = box.published();
    while (at < end) {
      outbox_entry& e = box.at(at);
      if ((e.flags & outbox_filler) == 0) std::memcpy(&out.emplace_back(), e.record(), sizeof(std::uint64_t));
      at += e.bytes;
    }
    box.release(at);
    return out;
  }
};

} // namespace

TEST_CASE("entries come out in the order they went in, around the ring's end") {
  ring r(4096);
  std::mt19937 random(1);
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  for (int i = 0; i < 5000; ++i) {
    while (r.send(sent, 8 + random() % 300)) ++sent;
    for (const auto number : r.take()) REQUIRE(number == taken++);
  }
  CHECK(sent == taken);
  CHECK(sent > 5000);
}

TEST_CASE("a full outbox refuses, and keeps a quarter for records that trip") {
  ring r(4096);
  std::uint64_t ordinary = 0;
  while (r.send(ordinary, 32)) ++ordinary;
  CHECK(ordinary == 4096 * 3 / 4 / 64);
  std::uint64_t tripping = 0;
  while (r.send(ordinary + tripping, 32, true)) ++tripping;
  CHECK(tripping == 4096 / 4 / 64);
  CHECK(r.take().size() == ordinary + tripping);
  CHECK(r.send(0, 32));
}

TEST_CASE("a record larger than the outbox is refused for ever and harms nothing") {
  ring r(4096);
  CHECK_FALSE(r.send(1, 5000, true));
  CHECK(r.send(2, 100));
  CHECK(r.take() == std::vector<std::uint64_t>{2});
}

TEST_CASE("one thread sends while another takes, and every entry arrives once and whole") {
  ring r(4096);
  constexpr std::uint64_t count = 100'000;
  std::thread sender([&] {
    for (std::uint64_t n = 0; n < count;)
      if (r.send(n, 8 + n % 120)) ++n;
  });
  std::uint64_t expected = 0;
  while (expected < count)
    for (const auto number : r.take()) REQUIRE(number == expected++);
  sender.join();
}
