#include <exception>
#include <stdexcept>

#include <faultline/faultline.hpp>

const faultline::logger logger = faultline::get_logger("bakery.oven");

void heat(int degrees) {
  FAULTLINE_DEBUG(logger, "heating to {} degrees", degrees);
  if (degrees > 300) throw std::out_of_range("the oven ends at 300 degrees");
}

void bake(int order, int degrees) {
  faultline::error_scope scope(logger, {.name = "bake"});
  scope.field("order", order);
  FAULTLINE_DEBUG(logger, "the oven is free");
  heat(degrees);
}

int main() {
  bake(1, 230);
  try {
    bake(2, 450);
  } catch (const std::exception&) {
    // The scope has written by now: an exception that leaves it is a failure.
  }

  // The same for any function, without a word in it; this one tells the exception's text, too.
  const auto careful_heat = faultline::log_if_errors(logger, {.name = "heat"})(heat);
  try {
    careful_heat(500);
  } catch (const std::exception&) {
  }
}

// clang-format off
// Outputs:
// --- dump 1 scope=bake logger=bakery.oven thread=<thread> start=<time> duration=<duration> trigger=exception records=3 forgotten=0 truncated=0 fields.order=2
// <time> DEBUG    bakery.oven the oven is free
// <time> DEBUG    bakery.oven heating to 450 degrees
// <time> ERROR    bakery.oven call failed
// --- end of dump 1
// --- dump 2 scope=heat logger=bakery.oven thread=<thread> start=<time> duration=<duration> trigger=exception records=2 forgotten=0 truncated=0
// <time> DEBUG    bakery.oven heating to 500 degrees
// <time> ERROR    bakery.oven call failed | std::out_of_range: the oven ends at 300 degrees
// --- end of dump 2
