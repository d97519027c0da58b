// faultline::secret and faultline::hex.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::contains;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct not_formattable {};

/// The message of one record, and that nothing was wrong with it.
template <class Statement> std::string message_of(Statement statement, runtime_options options = {}) {
  manual_runtime rt(std::move(options));
  {
    const error_scope scope(rt.get());
    statement(rt.get());
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() == 1);
  CHECK(rt.stats().format_errors == 0);
  return messages[0];
}

} // namespace

TEST_CASE("a secret prints as redacted whatever its type and specification, and its neighbours as ever") {
  CHECK(message_of([](const logger& lg) {
          FAULTLINE_ERROR(lg, "{} {} {:>20} {:.2f} {:{}} {}", 1, secret(std::string("hunter2")), secret("x"),
                          secret(1.5), secret(not_formattable{}), 3, "end");
        }) == "1 [redacted] [redacted] [redacted] [redacted] end");
  CHECK(message_of([](const logger& lg) {
          FAULTLINE_ERROR(lg, "{1} {0}", secret(1), std::vector<bool>::size_type{4});
        }) == "4 [redacted]");
}

TEST_CASE("no byte of a secret reaches the record, nor its length") {
  using with_secret = detail::signature<std::int32_t, detail::redacted>;
  STATIC_REQUIRE(with_secret::bytes == detail::signature<std::int32_t>::bytes);
  STATIC_REQUIRE(with_secret::fixed);
  STATIC_REQUIRE(std::is_empty_v<decltype(secret(std::string()))>);
}

TEST_CASE("a scope's field and a named argument may be secrets") {
  manual_runtime rt;
  rt.target->set_formatter(make_json_formatter({.envelope = false, .location = false, .thread = false}));
  {
    error_scope scope(rt.get(), {.name = "login"});
    scope.field("user", "ada").field("password", secret("hunter2")).field("tries", 3);
    FAULTLINE_ERROR(rt.get(), "refused {key:>3}", kv<"key">(secret(4711)), kv<"n">(1));
  }
  rt.write_all();
  const std::string text = rt.target->text();
  CHECK_THAT(text, contains(R"("fields":{"user":"ada","password":"[redacted]","tries":"3"})"));
  CHECK_THAT(text, contains(R"("message":"refused [redacted]","args":{"key":"[redacted]","n":1})"));
  CHECK_THAT(text, !contains("hunter2") && !contains("4711"));
}

TEST_CASE("bytes are shown in hexadecimal digits, from any contiguous range") {
  const std::array<std::uint8_t, 4> numbers{0x00, 0x0a, 0xff, 0x7e};
  const std::string text("hi\n");
  const std::vector<std::uint16_t> wide{0x0102};
  CHECK(message_of([&](const logger& lg) {
          FAULTLINE_ERROR(lg, "{} | {} | {} | {}", hex(numbers), hex(text), hex(std::span(numbers).first(1)),
                          hex(numbers.data(), 2));
        }) == "00 0a ff 7e | 68 69 0a | 00 | 00 0a");
  CHECK(message_of([&](const logger& lg) { FAULTLINE_ERROR(lg, "{}", hex(wide)); }) == "02 01");
  CHECK(message_of([&](const logger& lg) {
          FAULTLINE_ERROR(lg, "[{}][{}]", hex(nullptr, 7), hex(std::string_view()));
        }) == "[][]");
}

TEST_CASE("specifications choose capitals, no spaces, characters and offsets, on one line") {
  std::string bytes = "A\x0f|\xff";
  CHECK(message_of([&](const logger& lg) {
          FAULTLINE_ERROR(lg, "{:X} {:s} {:sX}", hex(bytes), hex(bytes), hex(bytes));
        }) == "41 0F 7C FF 410f7cff 410F7CFF");
  CHECK(message_of([&](const logger& lg) { FAULTLINE_ERROR(lg, "{:a}", hex(bytes)); }) ==
        "41 0f 7c ff |A.|.|");
  bytes.resize(18, 'z');
  CHECK(message_of([&](const logger& lg) { FAULTLINE_ERROR(lg, "{b:oa}", kv<"b">(hex(bytes))); }) ==
        "0000: 41 0f 7c ff 7a 7a 7a 7a 7a 7a 7a 7a 7a 7a 7a 7a |A.|.zzzzzzzzzzzz| 0010: 7a 7a |zz|");
}

TEST_CASE("bytes are copied when they are logged, cut to the bound as raw bytes, marked and counted") {
  manual_runtime rt({.argument_bytes = 16});
  std::string bytes(17, '\xe2'); // half characters, which a string would lose
  {
    const error_scope scope(rt.get());
    FAULTLINE_DEBUG(rt.get(), "{:s}|{:s}", hex(bytes), hex(bytes.data(), 16));
    bytes.assign(17, 'x');
    FAULTLINE_ERROR(rt.get(), "done");
  }
  const std::string sixteen = "e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2";
  CHECK(rt.messages() == strings{sixteen + "[...]|" + sixteen, "done"});
  CHECK(rt.dumps().at(0).truncated == 1);
}

TEST_CASE("bytes may be a scope's field") {
  manual_runtime rt;
  rt.target->set_formatter(make_text_formatter("{fields} {message}", {.envelope = false}));
  {
    error_scope scope(rt.get());
    scope.field("peer", hex("\x7f\x01", 2));
    FAULTLINE_ERROR(rt.get(), "gone");
  }
  rt.write_all();
  CHECK_THAT(rt.target->text(), contains("7f 01"));
}
