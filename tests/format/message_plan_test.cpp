#include "format/message_plan.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include <faultline/detail/codec.hpp>
#include <faultline/detail/statement.hpp>

#include "format/escape.hpp"
#include "support/catch.hpp"

using namespace faultline::detail;

namespace {

std::string message(std::string_view format, std::string_view types, std::string_view bytes,
                    bool* failed = nullptr) {
  const message_plan plan(format, types);
  fmt::memory_buffer out;
  const auto outcome =
      plan.append_message(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), out);
  if (failed != nullptr) *failed = outcome.failed;
  return fmt::to_string(out);
}

} // namespace

TEST_CASE("bytes that do not match the type codes become a message that says so") {
  bool failed = false;
  CHECK(message("n={}", "i", {"\7\0\0\0", 4}, &failed) == "n=7");
  CHECK_FALSE(failed);
  CHECK(message("n={}", "i", {"\7\0\0", 3}, &failed) == "[damaged record of \"n={}\"]");
  CHECK(failed);
  CHECK(message("{}", "s", {"\xff\xff\xff\x7f", 4}, &failed) == "[damaged record of \"{}\"]");
  CHECK(message("{}", "?", "abc", &failed) == "[damaged record of \"{}\"]");
  CHECK(message("{}", "{x:i", "abcdefgh", &failed) == "[damaged record of \"{}\"]");
}

TEST_CASE(
    "a format that wants more than there is, or a wrong specification, becomes text and not an exception") {
  bool failed = false;
  CHECK(message("{} {}", "i", {"\1\0\0\0", 4}, &failed) == "[argument not found in \"{} {}\"]");
  CHECK(failed);
  CHECK(message("{:s}", "i", {"\1\0\0\0", 4}, &failed).starts_with('['));
  CHECK(failed);
}

TEST_CASE("a width of zero that an argument gives is no width, and a precision of zero is one") {
  std::string bytes;
  bytes += std::string("\2\0\0\0ab\0\0\0\0", 10);
  CHECK(message("{:{}}", "si", bytes) == "ab");
  CHECK(message("{:<{}}", "si", bytes) == "ab");
  CHECK(message("{:.{}}", "si", bytes).empty());
}

TEST_CASE("a field that does not end within a specification is survived") {
  bool failed = false;
  (void)message("{0:>{3", "ii", {"\1\0\0\0\2\0\0\0", 8}, &failed);
  CHECK(failed);
  (void)message("{0:>{", "ii", {"\1\0\0\0\2\0\0\0", 8});
}

TEST_CASE("a width that would take all memory is refused, and the widest that is not is kept") {
  bool failed = false;
  CHECK(message("{:65535}", "i", {"\1\0\0\0", 4}, &failed).size() == 65'535);
  CHECK_FALSE(failed);
  for (const std::string_view format : {"{:65536}", "{:>2000000000}", "{:.99999999999999999999999f}"}) {
    CHECK(message(format, "i", {"\1\0\0\0", 4}, &failed).starts_with("[a width or precision above"));
    CHECK(failed);
  }
}

TEST_CASE("a width of several parts that together would take all memory is refused") {
  bool failed = false;
  const std::string numbers("\1\0\0\0\0\x10\0\0\0\x10\0\0", 12); // 1, 4096, 4096
  CHECK(message("{:08{}{}}", "iii", numbers, &failed).starts_with("[a width or precision above"));
  CHECK(failed);
  CHECK(message("{:0{}}", "iii", numbers, &failed).size() == 4096);
  CHECK_FALSE(failed);
}

TEST_CASE("random bytes and codes are never read beyond their end") {
  std::mt19937 random(7);
  const std::string_view alphabet = "bciIuUfdLpstxDnumsMhTr=={}:,ab?";
  for (int round = 0; round < 20'000; ++round) {
    std::string types;
    std::string bytes;
    for (auto n = random() % 12; n > 0; --n) types += alphabet[random() % alphabet.size()];
    for (auto n = random() % 40; n > 0; --n) bytes += static_cast<char>(random() % 4 == 0 ? random() : 0);
    const std::string exact = bytes; // a heap copy whose end a sanitizer watches
    (void)message("{} {} {:>3}", types, exact);
    (void)message("{a} {b:{a}} {} {:Xo}", types, exact);
    fmt::memory_buffer out;
    message_plan::append_exception(types, reinterpret_cast<const std::byte*>(exact.data()), exact.size(),
                                   out);
  }
}

namespace {

template <class T> void put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_text(std::string& bytes, std::string_view text, bool cut) {
  put(bytes, static_cast<std::uint32_t>(text.size()) | (cut ? cut_bit : 0U));
  bytes += text;
}

/// Values of every size, with few bits or many set.
std::uint64_t some_bits(std::mt19937_64& random) { return random() >> (random() % 64); }

double some_double(std::mt19937_64& random) {
  switch (random() % 4) {
  case 0: return std::bit_cast<double>(random());
  case 1: return static_cast<double>(some_bits(random)) / 4.0;
  case 2: return static_cast<double>(some_bits(random)) / 1e4 * (random() % 2 == 0 ? 1 : -1);
  default:
    return std::nextafter(static_cast<double>(some_bits(random)) / 100.0, random() % 2 == 0 ? 0.0 : 1e300);
  }
}

} // namespace

TEST_CASE("formats of plain fields in order give what fmt gives, byte for byte") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50'000; ++round) {
    const auto u = static_cast<std::uint32_t>(some_bits(random));
    const auto i = static_cast<std::int32_t>(random() >> (random() % 32));
    const std::uint64_t big = some_bits(random);
    const auto negative = -static_cast<std::int64_t>(some_bits(random) >> 1);
    const double d = some_double(random);
    const auto f = static_cast<float>(d);
    const bool b = random() % 2 == 0;
    const char c = static_cast<char>(random() % 256);
    const std::string text(random() % 40, 'x');
    std::string bytes;
    put(bytes, u);
    put(bytes, i);
    put(bytes, big);
    put(bytes, negative);
    put(bytes, d);
    put(bytes, f);
    put(bytes, b);
    put(bytes, c);
    put_text(bytes, text, false);
    constexpr std::string_view format = "a{}b{}{{{} {}|{};{}{}{}, {}.";
    REQUIRE(message(format, "uiUIdfbcs", bytes) ==
            fmt::format(fmt::runtime(format), u, i, big, negative, d, f, b, c, text));
  }
}

TEST_CASE("doubles at the edges of the quick way are written as fmt writes them") {
  for (const double d : {0.0,
                         -0.0,
                         1e-4,
                         0.00012,
                         9.9999e-5,
                         1e-5,
                         0.1,
                         0.3,
                         1.0 / 3,
                         99'999'999'999.9999,
                         1e11,
                         1e15,
                         1e16,
                         1e17,
                         123456.7891,
                         0.0001,
                         5e-324,
                         1.7976931348623157e308,
                         std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity(),
                         std::numeric_limits<double>::quiet_NaN()}) {
    std::string bytes;
    put(bytes, d);
    put(bytes, -d);
    CHECK(message("{} {}", "dd", bytes) == fmt::format("{} {}", d, -d));
  }
}

TEST_CASE("a string that was cut ends in whole characters and the mark, in a plain format as in others") {
  std::string bytes;
  put_text(bytes, "gr\xC3", true);
  CHECK(message("{}", "s", bytes) == "gr[...]");
  CHECK(message("{:>9}", "s", bytes) == "  gr[...]");
}

TEST_CASE("strings of one record may fill more than the format's own estimate") {
  std::string bytes;
  put_text(bytes, std::string(5000, 'a'), false);
  put_text(bytes, std::string(3000, 'b'), true);
  CHECK(message("{}{}", "ss", bytes) == std::string(5000, 'a') + std::string(3000, 'b') + "[...]");
}

TEST_CASE("a message that is called plain holds printable ASCII only, and of numbers each is called so") {
  const auto outcome_of = [](std::string_view format, std::string_view types, const std::string& bytes) {
    fmt::memory_buffer out;
    const auto outcome =
        message_plan(format, types)
            .append_message(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), out);
    if (outcome.plain) CHECK(is_plain_ascii({out.data(), out.size()}));
    return outcome.plain;
  };
  std::string number;
  put(number, 7);
  CHECK(outcome_of("n={}", "i", number));
  CHECK_FALSE(outcome_of("n={}\n", "i", number));
  CHECK_FALSE(outcome_of("Gr\xC3\xB6\xC3\x9F"
                         "e {}",
                         "i", number));
  CHECK_FALSE(outcome_of("{}", "c", "\x1b"));

  std::mt19937_64 random(5);
  int plain = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 20, 'x');
    if (!text.empty() && random() % 2 == 0) text[random() % text.size()] = static_cast<char>(random() % 256);
    std::string bytes = number;
    put_text(bytes, text, random() % 4 == 0);
    plain += outcome_of("{} of {}", "is", bytes) ? 1 : 0;
  }
  CHECK(plain > 8000);
}

TEST_CASE("a literal longer than what is copied at once is written whole") {
  for (const std::size_t size : {31U, 32U, 33U, 64U, 65U, 1000U}) {
    std::string literal;
    for (std::size_t i = 0; i < size; ++i) literal += static_cast<char>('a' + i % 26);
    std::string bytes;
    put(bytes, 7);
    CHECK(message(literal + "{}" + literal, "i", bytes) == literal + "7" + literal);
  }
}

namespace {

template <class T> std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string bytes_of_text(std::string_view text, bool cut = false) {
  return bytes_of(static_cast<std::uint32_t>(text.size()) | (cut ? cut_bit : 0U)) + std::string(text);
}

} // namespace

TEST_CASE("a duration is shown in its own unit") {
  const std::string bytes = bytes_of(std::int64_t{-7});
  CHECK(message("{}", "Dn", bytes) == "-7ns");
  CHECK(message("{}", "Du", bytes) == "-7µs");
  CHECK(message("{}", "Dm", bytes) == "-7ms");
  CHECK(message("{}", "Ds", bytes) == "-7s");
  CHECK(message("{}", "DM", bytes) == "-7m");
  CHECK(message("{}", "Dh", bytes) == "-7h");
}

TEST_CASE("a specification reaches arguments of every kind") {
  CHECK(message("{:4}", "b", "\1") == "true");
  CHECK(message("{:>3}", "c", "x") == "  x");
  CHECK(message("{:3}", "i", bytes_of(std::int32_t{-7})) == " -7");
  CHECK(message("{:3}", "I", bytes_of(std::int64_t{-7})) == " -7");
  CHECK(message("{:x}", "u", bytes_of(std::uint32_t{255})) == "ff");
  CHECK(message("{:x}", "U", bytes_of(std::uint64_t{255})) == "ff");
  CHECK(message("{:.1f}", "f", bytes_of(0.25F)) == "0.2");
  CHECK(message("{:.1f}", "d", bytes_of(0.25)) == "0.2");
  CHECK(message("{:.1f}", "L", bytes_of(0.25L)) == "0.2");
  CHECK(message("{:5}", "p", bytes_of(std::uint64_t{16})) == " 0x10");
  CHECK(message("{:%Y}", "T", bytes_of(std::int64_t{0})) == "1970");
  for (const char unit : {'n', 'u', 'm'})
    CHECK(message("{:%H}", std::string{'D', unit}, bytes_of(std::int64_t{0})) == "00");
  CHECK(message("{:%S}", "Ds", bytes_of(std::int64_t{7})) == "07");
  CHECK(message("{:%M}", "DM", bytes_of(std::int64_t{7})) == "07");
  CHECK(message("{:%H}", "Dh", bytes_of(std::int64_t{7})) == "07");
  CHECK(message("{:>3}", "s", bytes_of_text("x")) == "  x");
  CHECK(message("{:>9}", "s", bytes_of_text("x", true)) == "   x[...]");
  CHECK(message("{:>7}", "{n:i}", bytes_of(std::int32_t{7})) == "  {n=7}");
}

TEST_CASE("a width that an argument gives is an integer that is not negative, and bounded") {
  const std::string one = bytes_of(std::int32_t{1});
  CHECK(message("{:{}}", "ii", one + bytes_of(std::int32_t{3})) == "  1");
  CHECK(message("{:{}}", "iI", one + bytes_of(std::int64_t{3})) == "  1");
  CHECK(message("{:{}}", "iu", one + bytes_of(std::uint32_t{3})) == "  1");
  CHECK(message("{:{}}", "iU", one + bytes_of(std::uint64_t{3})) == "  1");
  CHECK(message("{:{}}", "iI", one + bytes_of(std::int64_t{1} << 40)).size() == 4096);
  CHECK(message("{:{}}", "iU", one + bytes_of(~std::uint64_t{0})).size() == 4096);
  CHECK(message("{:{}}", "iu", one + bytes_of(~std::uint32_t{0})).size() == 4096);
  CHECK(message("{:{}}", "ii", one + bytes_of(std::int32_t{5000})).size() == 4096);
  const auto refused = [&](std::string_view type, const std::string& bytes) {
    bool failed = false;
    const std::string text = message("{:{}}", "i" + std::string(type), one + bytes, &failed);
    return failed && text.starts_with("[a width or precision is no number of characters");
  };
  CHECK(refused("i", bytes_of(std::int32_t{-1})));
  CHECK(refused("I", bytes_of(std::int64_t{-1})));
  CHECK(refused("b", "\1"));
  CHECK(refused("c", "\3"));
  CHECK(refused("f", bytes_of(3.0F)));
  CHECK(refused("d", bytes_of(3.0)));
  CHECK(refused("L", bytes_of(3.0L)));
  CHECK(refused("p", bytes_of(std::uint64_t{3})));
  CHECK(refused("T", bytes_of(std::int64_t{3})));
  for (const char unit : {'n', 'u', 'm', 's', 'M', 'h'})
    CHECK(refused(std::string{'D', unit}, bytes_of(std::int64_t{3})));
  CHECK(refused("s", bytes_of_text("3")));
  CHECK(refused("s", bytes_of_text("3", true)));
  CHECK(refused("{n:i}", bytes_of(std::int32_t{3})));
}

TEST_CASE("an empty format is an empty message") { CHECK(message("", "", "").empty()); }

TEST_CASE("a name that no argument has is not found") {
  bool failed = false;
  const std::string one = bytes_of(std::int32_t{1});
  CHECK(message("{n:3}", "=n:i", one, &failed) == "  1");
  CHECK_FALSE(failed);
  CHECK(message("{m}", "=n:i", one, &failed) == "[argument not found in \"{m}\"]");
  CHECK(failed);
}

TEST_CASE("what is formatted at the call has its specification, unless that is longer than any that means "
          "something") {
  char out[400];
  const auto formatted = [&](const std::string& specification) {
    const std::string format = "{:" + specification + "}";
    const site where{unentered, format.c_str(), "", "", "", 0, faultline::level::info};
    const int value = 7;
    return std::string(out, format_argument(where, 0, out, sizeof out, fmt::make_format_args(value)));
  };
  CHECK(formatted("3") == "  7");
  CHECK(formatted(std::string(200, '1')) == "[number is too big]");
  CHECK(formatted(std::string(270, '1')) == "7");
}
