// One request in so many that go well is written, so that there is something to compare the failures with.
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("shop");

/// True once in `every` calls of a thread. Each thread counts by itself, so that none waits for a shared
/// line.
bool is_due(std::uint64_t every) {
  thread_local std::uint64_t calls = 0;
  return ++calls % every == 0;
}

void serve(int request) {
  faultline::error_scope scope(logger, {.name = "request"});
  FAULTLINE_DEBUG(logger, "request {}: {} articles", request, request % 3);
  if (request == 2) throw std::runtime_error("no such article");
  FAULTLINE_DEBUG(logger, "request {}: served", request);
  if (is_due(3)) scope.trip("sample"); // behind all that may fail: what failed is written as a failure
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level:<5} {message}"));
  faultline::start({.default_target = out});
  for (int request = 1; request <= 6; ++request) try {
      serve(request);
    } catch (const std::exception&) { // answered by an error page
    }
}

// clang-format off
// Outputs:
// --- dump 1 scope=request logger=shop thread=<thread> start=<time> duration=<duration> trigger=exception records=2 forgotten=0 truncated=0
// DEBUG request 2: 2 articles
// ERROR call failed
// --- end of dump 1
// --- dump 2 scope=request logger=shop thread=<thread> start=<time> duration=<duration> trigger=call reason=sample records=2 forgotten=0 truncated=0
// DEBUG request 4: 1 articles
// DEBUG request 4: served
// --- end of dump 2
