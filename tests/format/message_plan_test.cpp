#include "format/message_plan.hpp"

#include <cstring>
#include <random>
#include <string>

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

TEST_CASE("random bytes and codes are never read beyond their end") {
  std::mt19937 random(7);
  const std::string_view alphabet = "bciIuUfdLpstxDnumsMhT{}:,ab?";
  for (int round = 0; round < 20'000; ++round) {
    std::string types;
    std::string bytes;
    for (auto n = random() % 12; n > 0; --n) types += alphabet[random() % alphabet.size()];
    for (auto n = random() % 40; n > 0; --n) bytes += static_cast<char>(random() % 4 == 0 ? random() : 0);
    const std::string exact = bytes; // a heap copy whose end a sanitizer watches
    (void)message("{} {} {:>3}", types, exact);
    fmt::memory_buffer out;
    message_plan::append_exception(types, reinterpret_cast<const std::byte*>(exact.data()), exact.size(),
                                   out);
  }
}
