// A program that logs by spdlog gains error scopes by one sink: its statements stay as they are.
#include <memory>

#include <spdlog/spdlog.h>

#include <faultline/faultline.hpp>
#include <faultline/spdlog.hpp>

namespace {

void handle(const faultline::logger& lg, spdlog::logger& logger, int order, bool good) {
  FAULTLINE_SCOPE(lg, .name = "order"); // the one new line
  logger.debug("order {}: looking", order);
  if (!good) logger.error("order {} failed", order);
}

} // namespace

int main() {
  const faultline::logger lg = faultline::get_logger("shop");
  spdlog::logger logger("shop", faultline::make_spdlog_sink(lg));
  logger.set_level(spdlog::level::trace); // faultline decides what is written

  handle(lg, logger, 1, true);
  handle(lg, logger, 2, false);
}

// clang-format off
// Outputs:
// --- dump 1 scope=order logger=shop thread=<thread> start=<time> duration=<duration> trigger=level reason=ERROR records=2 forgotten=0 truncated=0
// <time> DEBUG    shop order 2: looking
// <time> ERROR    shop order 2 failed
// --- end of dump 1
