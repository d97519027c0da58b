// Tests of one's own logging: what does a failure tell, and is success silent? A runtime of the test's own
// has a memory handler for its target and no thread: `flush` runs the flusher here and now.
#include <cstdio>
#include <string>
#include <vector>

#include <faultline/faultline.hpp>

namespace {

/// What is tested takes its logger, so that a test can hand it one of its own runtime.
bool withdraw(faultline::logger lg, int balance, int amount) {
  FAULTLINE_SCOPE(lg, .name = "withdraw");
  FAULTLINE_DEBUG(lg, "balance {}, amount {}", balance, amount);
  if (amount <= balance) return true;
  FAULTLINE_ERROR(lg, "{} more than there is", amount - balance);
  return false;
}

int failures = 0;

void check(bool good, const char* what) {
  std::printf("%s: %s\n", good ? "good" : "BAD", what);
  if (!good) ++failures;
}

} // namespace

int main() {
  const auto seen = faultline::make_memory_handler();
  faultline::runtime rt({.default_target = seen, .flusher = faultline::flusher_mode::manual});
  const faultline::logger lg = rt.get_logger("bank");

  withdraw(lg, 100, 50);
  rt.flush();
  check(seen->messages().empty(), "a withdrawal that succeeds writes nothing");

  withdraw(lg, 100, 120);
  rt.flush();
  check(seen->messages() == std::vector<std::string>{"balance 100, amount 120", "20 more than there is"},
        "one that fails tells the balance");
  check(seen->dumps().size() == 1 && seen->dumps()[0].scope == "withdraw", "as one dump");
  check(rt.stats().lost == 0, "nothing is lost");
  return failures == 0 ? 0 : 1;
}

// Outputs:
// good: a withdrawal that succeeds writes nothing
// good: one that fails tells the balance
// good: as one dump
// good: nothing is lost
