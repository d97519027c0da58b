#include <faultline/faultline.hpp>

const faultline::logger logger = faultline::get_logger("bakery");

bool knead(int loaves) {
  const int needed = loaves * 500;
  FAULTLINE_DEBUG(logger, "{} loaves need {} g of flour", loaves, needed);
  if (needed > 5000) {
    FAULTLINE_ERROR(logger, "only 5000 g of flour left");
    return false;
  }
  return true;
}

void bake(int order, int loaves) {
  FAULTLINE_SCOPE(logger, .name = "bake");
  FAULTLINE_INFO(logger, "order {}", order);
  if (knead(loaves)) FAULTLINE_INFO(logger, "order {} is in the oven", order);
}

int main() {
  bake(1, 2);
  bake(2, 20);
  bake(3, 4);
  FAULTLINE_ERROR(logger, "no flour: closed for today"); // in no scope: it comes alone
}

// clang-format off
// Outputs:
// --- dump 1 scope=bake logger=bakery thread=<thread> start=<time> duration=<duration> trigger=level reason=ERROR records=3 forgotten=0 truncated=0
// <time> INFO     bakery order 2
// <time> DEBUG    bakery 20 loaves need 10000 g of flour
// <time> ERROR    bakery only 5000 g of flour left
// --- end of dump 1
// <time> ERROR    bakery no flour: closed for today
