// The program of the MemoryHandler recipe in Python's logging cookbook: a function logs at all levels, and
// its records appear only when one of them is an ERROR, then all of them.
#include <cstdio>
#include <cstdlib>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("cookbook");

/// Writes a line of the program itself. The flusher writes on a thread of its own, so what was logged before
/// must be out first for the two to appear in order.
void write_line(const char* text) {
  faultline::flush();
  std::fprintf(stderr, "%s\n", text);
}

bool foo(bool fail) {
  write_line("about to log at DEBUG ...");
  FAULTLINE_DEBUG(logger, "Actually logged at DEBUG");
  write_line("about to log at INFO ...");
  FAULTLINE_INFO(logger, "Actually logged at INFO");
  write_line("about to log at WARNING ...");
  FAULTLINE_WARNING(logger, "Actually logged at WARNING");
  if (fail) {
    write_line("about to log at ERROR ...");
    FAULTLINE_ERROR(logger, "Actually logged at ERROR");
    write_line("about to log at CRITICAL ...");
    FAULTLINE_CRITICAL(logger, "Actually logged at CRITICAL");
  }
  return fail;
}

/// Ends the program where the recipe asserts, in a release build too.
void expect(bool condition) {
  if (!condition) std::abort();
}

} // namespace

int main() {
  logger.add_handler(faultline::make_null_handler()); // as in the recipe: an error outside scopes is nobody's
  const faultline::handler_ptr target = faultline::make_stream_handler(stderr);
  target->set_formatter(faultline::make_text_formatter("{message}", {.envelope = false}));
  const auto decorated_foo = faultline::log_if_errors(logger, {.target = target})(foo);

  write_line("Calling undecorated foo with False");
  expect(!foo(false));
  write_line("Calling undecorated foo with True");
  expect(foo(true));
  write_line("Calling decorated foo with False");
  expect(!decorated_foo(false));
  write_line("Calling decorated foo with True");
  expect(decorated_foo(true));
}
