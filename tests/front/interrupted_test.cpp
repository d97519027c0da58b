// Statements that something interrupts in the middle: an argument's own reading, with the cursor closed,
// stands for the signal handler.
#include <functional>
#include <string>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

namespace {

struct interruption {
  int value;
};
std::function<void()> interrupt;

/// Six hundred characters, formatted where it is logged, in scratch memory that is shorter.
struct long_text {};

} // namespace

template <> struct faultline::fields_of<interruption> {
  template <class V> static constexpr void types(V& v) { v.template add<int>("value"); }
  template <class V> static void each(const interruption& i, V&& v) {
    if (interrupt) interrupt();
    v(i.value);
  }
};

template <> struct fmt::formatter<long_text> : formatter<std::string_view> {
  template <class Context> auto format(const long_text&, Context& context) const {
    return formatter<std::string_view>::format(std::string(600, 'x'), context);
  }
};

namespace {

/// Runs `inside` in the middle of the next statement that has an interruption among its arguments.
class interrupted {
 public:
  explicit interrupted(std::function<void()> inside) { interrupt = std::move(inside); }
  interrupted(const interrupted&) = delete;
  interrupted& operator=(const interrupted&) = delete;
  ~interrupted() { interrupt = nullptr; }
};

} // namespace

TEST_CASE("a statement inside a statement of the same runtime is counted, and tears nothing") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  {
    const error_scope scope(lg);
    const interrupted here([&] { FAULTLINE_DEBUG(lg, "inside"); });
    FAULTLINE_DEBUG(lg, "outside {}", interruption{1});
    FAULTLINE_ERROR(lg, "error {}", interruption{2});
  }
  CHECK(rt.messages() == strings{"outside {value=1}", "error {value=2}"});
  CHECK(rt.stats().reentered == 2);
  CHECK(closes(rt.stats()));
}

TEST_CASE(
    "a statement of another runtime inside a statement is recorded, and the outer one keeps its own thread") {
  manual_runtime rt;
  manual_runtime other;
  const logger lg = rt.get("app.deep.below"); // an id that the other runtime does not have
  const logger other_lg = other.get("other");
  FAULTLINE_DEBUG(other_lg, "attached");
  const error_scope other_scope(other_lg);
  {
    const error_scope scope(lg);
    const interrupted here([&] { FAULTLINE_DEBUG(other_lg, "inside"); });
    FAULTLINE_DEBUG(lg, "outside {}", interruption{1});
    FAULTLINE_ERROR(lg, "error {}", interruption{2});
    FAULTLINE_ERROR(lg, "again {}", interruption{3});
  }
  FAULTLINE_ERROR(other_lg, "other error");
  CHECK(rt.messages() == strings{"outside {value=1}", "error {value=2}", "again {value=3}"});
  CHECK(other.messages() == strings{"inside", "inside", "inside", "other error"});
  CHECK(rt.stats().reentered == 0);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope of another runtime inside a statement is whole, and so is what it interrupts") {
  manual_runtime rt;
  manual_runtime other;
  const logger lg = rt.get("app");
  const logger other_lg = other.get("other");
  other.get_runtime().attach_thread(); // inside a statement no thread is attached: that allocates
  {
    const error_scope scope(lg);
    const interrupted here([&] {
      const error_scope inner(other_lg);
      FAULTLINE_DEBUG(other_lg, "inside");
      FAULTLINE_ERROR(other_lg, "failed inside");
    });
    FAULTLINE_ERROR(lg, "error {}", interruption{1});
  }
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "later");
  }
  CHECK(rt.messages() == strings{"error {value=1}", "later"});
  CHECK(other.messages() == strings{"inside", "failed inside"});
  CHECK(rt.stats().scopes_abandoned + other.stats().scopes_abandoned + rt.stats().scopes_refused == 0);
}

TEST_CASE("a child forked in the middle of a statement goes on with it and can log") {
  manual_runtime rt;
  const logger lg = rt.get("app");
  pid_t child = -1;
  {
    const error_scope scope(lg);
    const interrupted here([&] { child = ::_Fork(); });
    FAULTLINE_DEBUG(lg, "outside {}", interruption{1});
  }
  if (child == 0) {
    {
      const error_scope scope(lg);
      FAULTLINE_DEBUG(lg, "of the child");
      FAULTLINE_ERROR(lg, "the child fails");
    }
    FAULTLINE_ERROR(lg, "outside any scope");
    ::_exit(rt.messages() == strings{"of the child", "the child fails", "outside any scope"} ? 0 : 1);
  }
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(rt.messages().empty());
}

TEST_CASE("an argument cut when it was formatted is the same wherever in the buffer its record goes") {
  manual_runtime rt({.buffer_bytes = 4096});
  const logger lg = rt.get();
  for (int i = 0; i < 40; ++i) { // over every segment's end
    const error_scope scope(lg);
    FAULTLINE_DEBUG(lg, "{}", std::string(static_cast<std::size_t>(i), 'p'));
    FAULTLINE_ERROR(lg, "{}", long_text{});
    rt.write_all();
  }
  const std::string wanted = std::string(512, 'x') + "[...]";
  std::size_t seen = 0;
  for (const std::string& message : rt.messages()) {
    if (message.find('x') == std::string::npos) continue;
    CHECK(message == wanted);
    ++seen;
  }
  CHECK(seen == 40);
}

TEST_CASE("a string cut to the runtime's bound is the same over a segment's end") {
  manual_runtime rt({.buffer_bytes = 16384, .argument_bytes = 100});
  const logger lg = rt.get();
  {
    const error_scope scope(lg);
    for (int i = 0; i < 99; ++i) FAULTLINE_DEBUG(lg, "{} {}", long_text{}, std::string(300, 's'));
    FAULTLINE_ERROR(lg, "error");
  }
  const std::string wanted = std::string(100, 'x') + "[...] " + std::string(100, 's') + "[...]";
  const auto messages = rt.messages();
  REQUIRE(messages.size() > 50);
  for (std::size_t i = 0; i + 1 < messages.size(); ++i) CHECK(messages[i] == wanted);
}
