// A program that logs by Boost.Log gains error scopes by one sink: its statements stay as they are.
#include <cstdio>

#include <boost/log/core.hpp>
#include <boost/log/expressions/message.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/unlocked_frontend.hpp>
#include <boost/log/trivial.hpp>
#include <boost/smart_ptr/make_shared_object.hpp>

#include <faultline/bridge.hpp>
#include <faultline/faultline.hpp>

namespace {

namespace sinks = boost::log::sinks;
namespace trivial = boost::log::trivial;

faultline::level level_of(trivial::severity_level severity) {
  switch (severity) {
  case trivial::trace: return faultline::level::trace;
  case trivial::debug: return faultline::level::debug;
  case trivial::info: return faultline::level::info;
  case trivial::warning: return faultline::level::warning;
  case trivial::error: return faultline::level::error;
  default: return faultline::level::critical;
  }
}

/// Records on the thread that logs. No lock of Boost's is needed around it: any thread may call log_text.
class recording_backend : public sinks::basic_sink_backend<sinks::concurrent_feeding> {
 public:
  explicit recording_backend(faultline::logger lg) : logger_(lg) {}
  void consume(const boost::log::record_view& record) {
    const auto text = record[boost::log::expressions::smessage];
    const auto severity = record[trivial::severity];
    if (text) faultline::log_text(logger_, severity ? level_of(*severity) : faultline::level::info, *text);
  }

 private:
  faultline::logger logger_;
};

void handle(faultline::logger lg, int order, bool good) {
  FAULTLINE_SCOPE(lg, .name = "order"); // the one new line
  BOOST_LOG_TRIVIAL(debug) << "order " << order << ": looking";
  if (!good) BOOST_LOG_TRIVIAL(error) << "order " << order << " failed";
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level:<5} {message}", {.envelope = false}));
  faultline::start({.default_target = out});
  const faultline::logger lg = faultline::get_logger("shop");

  const auto backend = boost::make_shared<recording_backend>(lg);
  const auto sink = boost::make_shared<sinks::unlocked_sink<recording_backend>>(backend);
  boost::log::core::get()->add_sink(sink); // instead of a file's: the first sink replaces Boost's default one
  handle(lg, 1, true);
  handle(lg, 2, false);
  boost::log::core::get()->remove_sink(sink);
}

// Outputs:
// DEBUG order 2: looking
// ERROR order 2 failed
