#include <cstdio>
#include <iostream>

#include <faultline/faultline.hpp>

const faultline::logger logger = faultline::get_logger("bakery");

void bake(int order, int loaves) {
  FAULTLINE_SCOPE(logger, .name = "bake");
  FAULTLINE_DEBUG(logger, "{} loaves wanted", loaves);
  FAULTLINE_INFO(logger, "order {}", order);
  if (loaves > 10) FAULTLINE_ERROR(logger, "order {} is too large", order);
}

int main() {
  const auto day_book = faultline::make_stream_handler(stdout); // or make_file_handler("bakery.log")
  day_book->set_level(faultline::level::info);
  day_book->set_formatter(faultline::make_text_formatter("{level:<5} {message}"));

  faultline::start({.default_target = day_book});        // scopes write to it when they fail,
  faultline::get_logger("bakery").add_handler(day_book); // and INFO and above go there in any case

  bake(1, 2);
  bake(2, 20);

  faultline::flush();
  const faultline::runtime_stats s = faultline::stats();
  std::cout << s.logged << " records made, " << s.discarded << " forgotten for free, " << s.lost << " lost\n";
}

// clang-format off
// Outputs:
// INFO  order 1
// INFO  order 2
// --- dump 1 scope=bake logger=bakery thread=<thread> start=<time> duration=<duration> trigger=level reason=ERROR records=2 forgotten=0 truncated=0
// DEBUG 20 loaves wanted
// ERROR order 2 is too large
// --- end of dump 1
// 5 records made, 1 forgotten for free, 0 lost
