// A program that logs by glog gains error scopes by one sink: its statements stay as they are.
#include <cstdio>

#include <glog/logging.h>

#include <faultline/faultline.hpp>
#include <faultline/glog.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("shop");

void handle(int order, bool good) {
  FAULTLINE_SCOPE(logger, .name = "order"); // the one new line
  LOG(INFO) << "order " << order << " accepted";
  FAULTLINE_DEBUG(logger, "order {}: looking", order); // glog has no DEBUG that could be held
  if (!good) LOG(ERROR) << "order " << order << " failed";
}

} // namespace

int main(int, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_stderrthreshold = google::FATAL;           // no text of glog's own on standard error,
  for (int i = 0; i < google::NUM_SEVERITIES; ++i) // and no files
    google::SetLogDestination(i, "");
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level:<5} {message:.20}", {.envelope = false}));
  faultline::start({.default_target = out});

  const auto sink = faultline::make_glog_sink(logger);
  google::AddLogSink(sink.get());
  handle(1, true);
  handle(2, false);
  google::RemoveLogSink(sink.get());
}

// Outputs:
// INFO  order 2 accepted (gl
// DEBUG order 2: looking
// ERROR order 2 failed (glog
