// What a backtrace of spdlog or quill is for, in faultline: INFO and above are always written, DEBUG only
// where something failed. There is no ring of a whole logger to dump: each piece of work has a scope, and an
// ERROR in it writes what belongs to it, once.
#include <cstdio>
#include <thread>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("shop");

void handle(int order, bool good) {
  FAULTLINE_SCOPE(logger, .name = "order", .capacity = 32); // enable_backtrace(32), init_backtrace(32, Error)
  FAULTLINE_DEBUG(logger, "order {}: looking", order);
  FAULTLINE_INFO(logger, "order {} accepted", order);
  if (!good) FAULTLINE_ERROR(logger, "order {} failed", order); // dump_backtrace() is implied
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_level(faultline::level::info); // of what is always written: a dump has its DEBUG records
  out->set_formatter(faultline::make_text_formatter("{level:<5} {message}", {.envelope = false}));
  faultline::start({.default_target = out});
  faultline::get_logger("shop").add_handler(out);

  std::thread(handle, 1, true).join(); // another thread's records are in no dump of this one
  faultline::flush();
  handle(2, false);
}

// Outputs:
// INFO  order 1 accepted
// INFO  order 2 accepted
// DEBUG order 2: looking
// ERROR order 2 failed
