// Records as JSON lines, one object each: for programs that collect logs, and for jq. A failed order's
// records come after an object that tells the facts of their dump, and name it.
#include <cstdio>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("shop.order");

void handle(int order, const char* customer, int pieces) {
  FAULTLINE_SCOPE(logger, .name = "order");
  FAULTLINE_DEBUG(logger, "order {} of \"{}\"", order, customer);
  if (pieces > 10) FAULTLINE_ERROR(logger, "only 10 of {} pieces in stock", pieces);
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  // The files' names and lines differ from machine to machine: this example leaves them out.
  out->set_formatter(faultline::make_json_formatter({.location = false}));
  faultline::start({.default_target = out});

  handle(1, "Ada", 3);           // succeeds: nothing is written
  handle(2, "Gr\xfc\xdf\n", 30); // Latin-1 and a line's end in a name: still valid UTF-8, still one line
  faultline::stop();
}

// clang-format off
// Outputs:
// {"event":"dump","time":"<time>","dump":1,"logger":"shop.order","thread":<thread>,"duration_ns":<duration>,"trigger":"level","reason":"ERROR","records":2,"forgotten":0,"truncated":0,"lost_contexts":0,"scope":"order"}
// {"time":"<time>","level":"DEBUG","logger":"shop.order","thread":<thread>,"message":"order 2 of \"Gr\u00fc\u00df\n\"","scope":"order","dump":1}
// {"time":"<time>","level":"ERROR","logger":"shop.order","thread":<thread>,"message":"only 10 of 30 pieces in stock","scope":"order","dump":1}
