// Python's MemoryHandler(capacity=3, flushLevel=logging.ERROR, target=out) in faultline: a scope that writes
// when it is full, and when an ERROR comes. Unlike the handler it ends, and forgets what was not written.
#include <cstdio>

#include <faultline/faultline.hpp>

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level}: {message}", {.envelope = false}));
  const faultline::logger lg = faultline::get_logger("app");

  FAULTLINE_SCOPE(lg, .target = out, .capacity = 3, .on_full = faultline::full_policy::flush);
  FAULTLINE_DEBUG(lg, "one");
  FAULTLINE_DEBUG(lg, "two");
  FAULTLINE_DEBUG(lg, "three: full, written");
  FAULTLINE_DEBUG(lg, "four");
  FAULTLINE_ERROR(lg, "five: an error, written");
  FAULTLINE_DEBUG(lg, "six: forgotten with the scope");
}

// Outputs:
// DEBUG: one
// DEBUG: two
// DEBUG: three: full, written
// DEBUG: four
// ERROR: five: an error, written
