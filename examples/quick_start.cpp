// faultline without any set-up: an error scope for each piece of work, and statements in it. The order that
// succeeds leaves nothing behind; the one that fails writes all its records to standard error.
#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("shop.order");

bool reserve(int order, int pieces) {
  FAULTLINE_DEBUG(logger, "order {}: looking for {} pieces", order, pieces);
  if (pieces > 10) {
    FAULTLINE_ERROR(logger, "order {}: only 10 of {} pieces in stock", order, pieces);
    return false;
  }
  FAULTLINE_DEBUG(logger, "order {}: {} pieces reserved", order, pieces);
  return true;
}

void handle(int order, int pieces) {
  FAULTLINE_SCOPE(logger, .name = "order");
  FAULTLINE_INFO(logger, "order {} accepted", order);
  if (reserve(order, pieces)) FAULTLINE_INFO(logger, "order {} is on its way", order);
}

} // namespace

int main() {
  handle(1, 3);  // succeeds: its three records are forgotten
  handle(2, 30); // fails: its three records are written
  handle(3, 5);  // succeeds

  faultline::stop(); // writes what is outstanding; the program's end would do the same
}

// clang-format off
// Outputs:
// --- dump 1 scope=order logger=shop.order thread=<thread> start=<time> duration=<duration> trigger=level reason=ERROR records=3 forgotten=0 truncated=0
// <time> INFO     shop.order order 2 accepted
// <time> DEBUG    shop.order order 2: looking for 30 pieces
// <time> ERROR    shop.order order 2: only 10 of 30 pieces in stock
// --- end of dump 1
