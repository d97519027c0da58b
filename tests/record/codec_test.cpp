#include <faultline/detail/encode.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "record/decoder.hpp"
#include "record/layout.hpp"
#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

template <class... Args> std::string codes_of(const Args&...) {
  return signature<wire_t<Args>...>::codes.data;
}

text fitted(std::string_view s, std::size_t bound, std::size_t left) {
  text t{s.data(), s.size()};
  fit(t, bound, left);
  return t;
}

} // namespace

TEST_CASE("type codes name what is in the record") {
  CHECK(codes_of(true, 'c', 1, 2U, 3L, 4UL, 5.0F, 6.0, 7.0L) == "bciuIUfdL");
  CHECK(codes_of(static_cast<short>(1), static_cast<unsigned char>(2)) == "iu");
  CHECK(codes_of("literal", std::string(), std::string_view()) == "sss");
  CHECK(codes_of(static_cast<void*>(nullptr), nullptr) == "pp");
  CHECK(codes_of(std::chrono::milliseconds(1), std::chrono::hours(2)) == "DmDh");
  CHECK(codes_of(std::chrono::system_clock::now()) == "T");
  CHECK(codes_of().empty());
}

/// What `fit` adds to the size of a string that it cut.
constexpr std::size_t marked_cut = cut_bit | cut_before;

TEST_CASE("a string is cut to the smaller of its bound and what is left, and says so") {
  CHECK(fitted("abc", 3, 10).size == 3);
  CHECK(fitted("abcd", 3, 10).size == (3 | marked_cut));
  CHECK(fitted("abcd", 10, 2).size == (2 | marked_cut));
  CHECK(fitted("", 0, 0).size == 0);
  text long_one{"0123456789", 10};
  std::size_t left = 100;
  fit(long_one, 4, left);
  CHECK(long_one.size == (4 | marked_cut));
  CHECK(left == 96);
}

TEST_CASE("a C string is measured no further than any runtime keeps it") {
  const std::string huge(longest_argument * 3, 'x');
  CHECK(measure_c_string(huge.c_str()).size == longest_argument + 1);
  CHECK(measure_c_string("four").size == 4);
  const text null = measure_c_string(nullptr);
  CHECK(std::string_view(null.data, null.size) == "(null)");
}

TEST_CASE("an array without a terminator is read to its end and no further") {
  const char letters[4] = {'a', 'b', 'c', 'd'};
  CHECK(to_wire(letters).size == 4);
  CHECK(to_wire("ab\0cd").size == 2);
}

TEST_CASE("a string that was cut is cut to the same bytes when it is measured again") {
  for (const std::size_t size : {std::size_t{600}, std::size_t{40}, std::size_t{512} | cut_before}) {
    text t{"", size};
    std::size_t left = 100;
    fit(t, 1024, left);
    const std::size_t once = t.size;
    const std::size_t left_once = left;
    left = 100;
    fit(t, 1024, left);
    CHECK(t.size == once);
    CHECK(left == left_once);
  }
  text shorter{"", 30 | cut_before}; // cut before, and within the bounds now
  std::size_t left = 1000;
  fit(shorter, 1024, left);
  left = 1000;
  fit(shorter, 1024, left);
  CHECK(shorter.size == (30 | marked_cut));
}

TEST_CASE("a length beyond 4 GiB is cut, not wrapped") {
  // The bytes behind the pointer are never touched beyond the bound.
  text t{"0123456789", (std::size_t{5} << 32) + 3};
  std::size_t left = 100;
  fit(t, 8, left);
  CHECK(t.size == (8 | marked_cut));
}

TEST_CASE("what is put is what is decoded, for sizes around every bound") {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string s(size, 'x');
    text t{s.data(), s.size()};
    std::size_t left = 64;
    fit(t, 64, left);
    std::vector<std::byte> bytes(4 + variable_bytes(t) + 8);
    std::byte* end = put(bytes.data(), t);
    end = put(end, std::int64_t{-5});
    REQUIRE(end == bytes.data() + bytes.size());
    std::array<argument, most_arguments> out;
    REQUIRE(decode("sI", bytes.data(), bytes.size(), out) == 2);
    CHECK(out[0].text() == s.substr(0, 64));
    CHECK(out[0].cut == (size > 64));
    CHECK(out[1].as<std::int64_t>() == -5);
    for (std::size_t shorter = 0; shorter < bytes.size(); ++shorter)
      REQUIRE(decode("sI", bytes.data(), shorter, out) == -1);
  }
}

TEST_CASE("a record's header keeps size, level, flags, site and logger apart") {
  std::array<std::byte, 24> bytes{};
  const std::uint64_t word =
      std::uint64_t{0xABCDEF01} << 32 | std::uint64_t{24} << 16 | bit_of(faultline::level::error);
  const std::uint32_t logger = 0x00123456;
  std::memcpy(bytes.data(), &word, 8);
  std::memcpy(bytes.data() + 16, &logger, 4);
  record_reader r(bytes.data());
  r.set_time(99);
  r.set_flags(record_passed);
  r.set_flags(record_exact);
  r.set_targets(0x81);
  r = record_reader(bytes.data());
  CHECK(r.site() == 0xABCDEF01);
  CHECK(r.bytes() == 24);
  CHECK(r.level() == faultline::level::error);
  CHECK(r.flags() == (record_passed | record_exact));
  CHECK(r.time() == 99);
  CHECK(r.logger() == 0x00123456);
  CHECK(r.targets() == 0x81);
}

TEST_CASE("structures are read to their bound, and deeper ones are damage") {
  const std::byte bytes[1]{std::byte{7}};
  for (std::size_t depth = 1; depth < 12; ++depth) {
    std::string types = "c";
    for (std::size_t i = 0; i < depth; ++i) types = "{a:" + types + "}";
    std::array<argument, most_arguments> out;
    CHECK(decode(types, bytes, 1, out) == (depth <= deepest_structure ? 1 : -1));
  }
}

TEST_CASE("of more arguments than a statement can have the first are read") {
  const std::vector<std::byte> bytes(100);
  std::array<argument, most_arguments> out;
  CHECK(decode(std::string(64, 'c'), bytes.data(), bytes.size(), out) == 64);
  CHECK(decode(std::string(70, 'c'), bytes.data(), bytes.size(), out) == 64);
}

TEST_CASE("a reader that found damage says so from then on") {
  const std::byte bytes[1]{};
  argument_reader reader("ic", bytes, 1);
  argument a;
  CHECK_FALSE(reader.next(a));
  CHECK(reader.damaged());
  CHECK(reader.next(a)); // the character
  CHECK(reader.damaged());
}
