// One scope for each request of an HTTP server: a request that is answered with a 5xx, or whose handler
// throws, leaves its whole story; of the others the access log has one line. The server is cpp-httplib; any
// other has a place where a request begins and ends on one thread.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

#include <httplib.h>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("web");
const faultline::logger access_log = faultline::get_logger("web.access");

/// Wraps what answers a request. `name` is the route, which is one of a few, and not the path, which is
/// anything a client sends: that is a field.
httplib::Server::Handler logged(std::string name, httplib::Server::Handler answer) {
  return [name, answer](const httplib::Request& request, httplib::Response& response) {
    faultline::error_scope scope(logger, {.name = name});
    scope.field("path", request.path).traceparent(request.get_header_value("traceparent"));
    response.status = 200;
    try {
      answer(request, response);
      if (response.status >= 500) scope.trip("status 5xx");
    } catch (const std::exception& e) {
      response.status = 500;
      FAULTLINE_ERROR(logger, "{}", e.what()); // trips the scope as well
    }
    FAULTLINE_INFO(access_log, "{} {} {}", request.method, request.path, response.status);
  };
}

void price(const httplib::Request& request, httplib::Response& response) {
  const std::string article = request.get_param_value("article");
  FAULTLINE_DEBUG(logger, "price of '{}'", article);
  if (article.empty()) throw std::invalid_argument("no article");
  if (article == "moon") {
    FAULTLINE_DEBUG(logger, "the catalogue does not answer");
    response.status = 503;
    return;
  }
  response.set_content("1999\n", "text/plain");
}

void ask(int port, const std::string& path) {
  httplib::Client client("127.0.0.1", port);
  const auto answer =
      client.Get(path.c_str(), {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  faultline::flush(); // the threads of a server write in no fixed order: this example waits for each
  if (!answer) throw std::runtime_error("no answer");
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(faultline::make_text_formatter("{level:<5} {logger:<10} {trace_id:.4} {message}"));
  faultline::start({.default_target = out});
  faultline::get_logger("web.access").add_handler(out); // always written

  httplib::Server server;
  server.Get("/price", logged("price", price));
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread listener([&server] { server.listen_after_bind(); });

  ask(port, "/price?article=pen");
  ask(port, "/price?article=moon");
  ask(port, "/price");

  server.stop();
  listener.join();
}

// clang-format off
// Outputs:
// INFO  web.access 4bf9 GET /price 200
// --- dump 1 scope=price logger=web thread=<thread> start=<time> duration=<duration> trigger=call reason="status 5xx" records=2 forgotten=0 truncated=0 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 fields.path=/price
// DEBUG web        4bf9 price of 'moon'
// DEBUG web        4bf9 the catalogue does not answer
// --- end of dump 1
// INFO  web.access 4bf9 GET /price 503
// --- dump 2 scope=price logger=web thread=<thread> start=<time> duration=<duration> trigger=level reason=ERROR records=2 forgotten=0 truncated=0 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 fields.path=/price
// DEBUG web        4bf9 price of ''
// ERROR web        4bf9 no article
// --- end of dump 2
// INFO  web.access 4bf9 GET /price 500
