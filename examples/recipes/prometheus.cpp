// What the runtime counts, for Prometheus: a page in its text format, served by cpp-httplib. Any other server
// does; the page is a string.
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

#include <httplib.h>

#include <faultline/faultline.hpp>

namespace {

/// A metric of one value, or of one for each value of a label.
class metric {
 public:
  metric(std::string& page, const std::string& name, const std::string& type, const std::string& help)
      : page_(page), name_(name) {
    page_ += "# HELP " + name_ + ' ' + help + "\n# TYPE " + name_ + ' ' + type + '\n';
  }
  metric& value(std::uint64_t count, const std::string& labels = {}) {
    page_ += name_ + labels + ' ' + std::to_string(count) + '\n';
    return *this;
  }

 private:
  std::string& page_;
  std::string name_;
};

/// What to watch, and what to raise an alarm about when it grows: the second and the last.
std::string metrics(const faultline::runtime_stats& s) {
  std::string page;
  metric(page, "faultline_records", "gauge", "Records that threads made, by what became of them.")
      .value(s.handed_over, "{fate=\"handed_over\"}")
      .value(s.passed_only, "{fate=\"passed\"}")
      .value(s.discarded, "{fate=\"discarded\"}");
  metric(page, "faultline_lost", "gauge", "Records that should have been written and were not, by where.")
      .value(s.lost, "{where=\"thread\"}")
      .value(s.flusher_lost, "{where=\"flusher\"}")
      .value(s.handler_lost, "{where=\"handler\"}");
  metric(page, "faultline_dumps_total", "counter", "Failures whose story was written.").value(s.dumps);
  metric(page, "faultline_contexts_missing_total", "counter", "Failures without their story, by why.")
      .value(s.contexts_refused, "{reason=\"no_buffer\"}")
      .value(s.contexts_suppressed, "{reason=\"storm\"}");
  return page;
}

} // namespace

int main() {
  faultline::start({.default_target = faultline::make_null_handler()});
  const faultline::logger logger = faultline::get_logger("shop");

  httplib::Server server;
  server.Get("/metrics", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics(faultline::stats()), "text/plain; version=0.0.4");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread listener([&server] { server.listen_after_bind(); });

  for (const int order : {1, 2, 3}) {
    const faultline::error_scope scope(logger, {.name = "order"});
    FAULTLINE_DEBUG(logger, "order {} begins", order);
    if (order == 2) FAULTLINE_ERROR(logger, "no such article");
  }
  faultline::flush(); // this example shows the counts of all that was done

  const auto page = httplib::Client("127.0.0.1", port).Get("/metrics");
  server.stop();
  listener.join();
  if (!page) throw std::runtime_error("no answer");
  std::fputs(page->body.c_str(), stdout);
}

// clang-format off
// Outputs:
// # HELP faultline_records Records that threads made, by what became of them.
// # TYPE faultline_records gauge
// faultline_records{fate="handed_over"} 2
// faultline_records{fate="passed"} 0
// faultline_records{fate="discarded"} 2
// # HELP faultline_lost Records that should have been written and were not, by where.
// # TYPE faultline_lost gauge
// faultline_lost{where="thread"} 0
// faultline_lost{where="flusher"} 0
// faultline_lost{where="handler"} 0
// # HELP faultline_dumps_total Failures whose story was written.
// # TYPE faultline_dumps_total counter
// faultline_dumps_total 1
// # HELP faultline_contexts_missing_total Failures without their story, by why.
// # TYPE faultline_contexts_missing_total counter
// faultline_contexts_missing_total{reason="no_buffer"} 0
// faultline_contexts_missing_total{reason="storm"} 0
