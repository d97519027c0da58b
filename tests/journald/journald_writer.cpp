// Writes to the journal in two parts; between them it waits for a line of input.
#include <iostream>
#include <string>

#include <faultline/faultline.hpp>
#include <faultline/journald.hpp>

#include "support/sample_records.hpp"

using namespace std::chrono_literals;

namespace {

void say_and_wait(const char* what) {
  std::cout << what << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

} // namespace

int main() {
  faultline::runtime_options options;
  const faultline::handler_ptr journal = faultline::make_journald_handler({.identifier = "faultline-test"});
  options.default_target = journal;
  options.flusher = faultline::flusher_mode::manual;
  options.on_error = [](const faultline::error_report&) {};
  faultline::runtime rt(std::move(options));
  const faultline::logger lg = rt.get_logger("shop.order");
  {
    faultline::error_scope scope(lg, {.name = "order"});
    scope.field("user", 4711).field("message", true);
    FAULTLINE_DEBUG(lg, "two\nlines, ünïcode");
    FAULTLINE_ERROR(lg, "no stock");
  }
  if (!rt.flush(10s)) return 1;
  const std::string large(600'000, 'x'); // more than a datagram takes
  const faultline::record_view record = faultline::test::sample_record(large);
  journal->write(faultline::batch({&record, 1}));
  journal->flush();
  if (journal->pending()) return 4;
  say_and_wait("written");
  {
    const faultline::error_scope scope(lg);
    FAULTLINE_ERROR(lg, "in between");
  }
  if (rt.flush(50ms)) return 2; // the journal is away
  say_and_wait("waiting");
  return rt.flush(10s) ? 0 : 3;
}
