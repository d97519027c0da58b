#include "buffer/buffer.hpp"

#include <cstring>
#include <vector>

#include <faultline/runtime.hpp>

#include "front/core.hpp"
#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

constexpr std::size_t segment_bytes = 64;

struct records {
  std::vector<std::byte> data = std::vector<std::byte>(segments_per_buffer * segment_bytes);
  std::array<std::uint32_t, segments_per_buffer> used{};

  void append(std::size_t segment, std::uint16_t bytes) {
    const std::uint64_t word = std::uint64_t{bytes} << 16;
    std::memcpy(data.data() + segment * segment_bytes + used[segment], &word, sizeof word);
    used[segment] += bytes;
  }
  std::vector<position> positions(position from, position to) {
    std::vector<position> found;
    for_each_record(data.data(), used, segment_bytes, from, to,
                    [&](std::byte*, position at) { found.push_back(at); });
    return found;
  }
};

struct idle_generation final : generation {
  using generation::generation;
};
struct idle_core final : core {
  using core::core;
  void keep(faultline::handler&) override {}
  [[nodiscard]] faultline::runtime_stats stats() const override { return {}; }
  generation* make_generation(std::uint64_t epoch) override { return new idle_generation(*this, epoch); }
};

} // namespace

TEST_CASE("records are found in their segments, in turn, from one position to another") {
  records r;
  r.append(1, 24);
  r.append(1, 32);
  r.append(3, 24);
  CHECK(r.positions(0, 256) == std::vector<position>{64, 88, 192});
  CHECK(r.positions(88, 192) == std::vector<position>{88});
  CHECK(r.positions(256, 512) == std::vector<position>{320, 344, 448}); // the next time round
}

TEST_CASE("a buffer ends where a record's size is none or reaches beyond its segment") {
  for (const std::uint16_t bytes : {std::uint16_t{0}, std::uint16_t{16}, std::uint16_t{64}}) {
    records r;
    r.append(0, 24);
    r.append(0, bytes);
    r.used[0] = 56;
    r.append(1, 24);
    CHECK(r.positions(0, 256) == std::vector<position>{0});
  }
}

TEST_CASE("a machine without a time stamp counter reads the other clock, in scopes and outside") {
  for (const statement_clock statements : {statement_clock::cursor, statement_clock::other}) {
    const slot_geometry geometry{.buffer_bytes = 4096,
                                 .buffers = 2,
                                 .outbox_bytes = 4096,
                                 .argument_bytes = 64,
                                 .statements = statements,
                                 .coarse = false,
                                 .clock = clock_source::monotonic};
    idle_core owner(geometry);
    idle_generation home(owner, 0);
    thread_slot* const slot = thread_slot::make(home, geometry);
    CHECK_FALSE(slot->place().has_tsc);
    CHECK_FALSE(slot->place().plain_scopes);
    CHECK(slot->place().clock == statements);
    thread_slot::destroy(slot);
  }
}
