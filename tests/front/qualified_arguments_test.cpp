// Arguments that are volatile, such as a signal's flag or a device's register, also as fields.
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

enum plain : std::uint8_t { plain_zero, plain_one };
enum class worded { zero, one };
struct registers {
  volatile bool ready;
  volatile char letter;
  const bool valid;
};

/// What fmt writes, and what a record of a statement with that argument says, plain, named, and beside an
/// argument that is formatted where it is logged.
#define CHECK_AS_FMT(specification, value)                                                                   \
  do {                                                                                                       \
    manual_runtime rt;                                                                                       \
    const logger lg = rt.get();                                                                              \
    {                                                                                                        \
      const error_scope scope(lg, {.flush_level = level::info});                                             \
      FAULTLINE_INFO(lg, "{" specification "}", value);                                                      \
      FAULTLINE_INFO(lg, "{a" specification "}", kv<"a">(value));                                            \
      FAULTLINE_INFO(lg, "{" specification "}{}", value, std::vector<int>{1});                               \
    }                                                                                                        \
    const std::string by_fmt = fmt::format("{" specification "}", value);                                    \
    CHECK(rt.messages() == strings{by_fmt, by_fmt, by_fmt + "[1]"});                                         \
    CHECK(rt.stats().format_errors == 0);                                                                    \
  } while (false)

} // namespace

template <> struct fmt::formatter<worded> : fmt::formatter<std::string_view> {
  template <class Context> auto format(worded w, Context& context) const {
    return fmt::formatter<std::string_view>::format(w == worded::zero ? "zero" : "one", context);
  }
};

FAULTLINE_FIELDS(registers, ready, letter, valid);

TEST_CASE("volatile bools and characters are written as fmt writes them") {
  volatile bool yes = true;
  const volatile bool no = false;
  volatile char letter = 'c';
  volatile signed char small = -5;
  volatile unsigned char byte = 200;
  CHECK_AS_FMT("", yes);
  CHECK_AS_FMT(":s", yes);
  CHECK_AS_FMT(":>7", no);
  CHECK_AS_FMT(":d", no);
  CHECK_AS_FMT("", letter);
  CHECK_AS_FMT(":>3", letter);
  CHECK_AS_FMT(":d", letter);
  CHECK_AS_FMT(":c", letter);
  CHECK_AS_FMT("", small);
  CHECK_AS_FMT(":#x", byte);
}

TEST_CASE("volatile numbers are written as fmt writes them") {
  volatile std::int16_t i16 = -16;
  volatile std::uint32_t u32 = 4'000'000'000U;
  volatile std::int64_t i64 = -5'000'000'000;
  const volatile std::uint64_t u64 = UINT64_MAX;
  volatile float f = 0.1F;
  volatile double d = 0.1;
  volatile long double ld = 2.5L;
  CHECK_AS_FMT("", i16);
  CHECK_AS_FMT(":08x", u32);
  CHECK_AS_FMT("", i64);
  CHECK_AS_FMT("", u64);
  CHECK_AS_FMT("", f);
  CHECK_AS_FMT(":.3f", d);
  CHECK_AS_FMT("", ld);
}

TEST_CASE("volatile enums and pointers are written as fmt writes them") {
  volatile plain p = plain_one;
  volatile worded own = worded::one; // with a formatter, which writes its name
  const char* volatile text = "text";
  char letters[] = "letters";
  char* volatile mutable_text = letters;
  void* volatile address = letters;
  const void* const volatile constant = letters;
  volatile std::nullptr_t null = nullptr;
  volatile char array[] = "array";
  CHECK_AS_FMT("", p);
  CHECK_AS_FMT(":>4d", p);
  CHECK_AS_FMT("", own);
  CHECK_AS_FMT(":>5", own);
  CHECK_AS_FMT(":>6", text);
  CHECK_AS_FMT("", mutable_text);
  CHECK_AS_FMT("", address);
  CHECK_AS_FMT(":>20", constant);
  CHECK_AS_FMT("", null);
  CHECK_AS_FMT("", array);
}

TEST_CASE("a volatile argument has the wire of its type, and so the type in structured output") {
  static_assert(std::is_same_v<detail::wire_t<volatile bool>, bool>);
  static_assert(std::is_same_v<detail::wire_t<const volatile char>, char>);
  static_assert(std::is_same_v<detail::wire_t<volatile short>, std::int32_t>);
  static_assert(std::is_same_v<detail::wire_t<volatile plain>, std::uint32_t>);
  static_assert(std::is_same_v<detail::wire_t<const char* volatile>, detail::text>);
  static_assert(!detail::raw_argument<volatile worded>);
  static_assert(!detail::raw_argument<volatile wchar_t>); // fmt refuses it, too
  argument_kind kind = argument_kind::text;
  manual_runtime rt({.default_target = make_callback_handler(
                         [&kind](const record_view& r) { kind = r.arguments.front().kind; })});
  volatile bool ready = true;
  {
    const error_scope scope(rt.get());
    FAULTLINE_ERROR(rt.get(), "{ready}", kv<"ready">(ready));
  }
  rt.write_all();
  CHECK(kind == argument_kind::boolean);
}

TEST_CASE("fields of scopes and of types that are cv-qualified are written as others") {
  strings seen;
  manual_runtime rt({.default_target = make_callback_handler([&seen](const record_view& r) {
                       seen.emplace_back(r.message());
                       for (const auto& f : r.scope->fields)
                         seen.push_back(std::string(f.key) + '=' + std::string(f.value));
                     })});
  volatile bool ready = true;
  volatile char letter = 'c';
  {
    error_scope scope(rt.get());
    scope.field("ready", ready).field("letter", letter);
    FAULTLINE_ERROR(rt.get(), "{}", registers{true, 'c', true});
  }
  rt.write_all();
  CHECK(seen == strings{"{ready=true, letter=c, valid=true}", "ready=true", "letter=c"});
}
