#include "http_front.hpp"

#include <csignal>
#include <thread>

#include <httplib.h>

namespace shop {

bool serve_until_terminated(const http_front& front) {
  httplib::Server server;
  server.new_task_queue = [&front] { return new httplib::ThreadPool(front.threads); }; // httplib deletes it
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_payload_max_length(64U << 10);
  server.Post("/order", [&front](const httplib::Request& request, httplib::Response& response) {
    answer a = front.on_order(request.body, request.get_header_value("traceparent"));
    response.status = a.status;
    response.set_content(a.body, "application/json");
  });
  server.Get("/stats", [&front](const httplib::Request&, httplib::Response& response) {
    response.set_content(front.on_stats(), "application/json");
  });

  const int port = server.bind_to_any_port("127.0.0.1");
  if (port < 0) return false;
  front.on_listening(port);
  std::thread waits_for_signal([&server] {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    int signal = 0;
    sigwait(&ends, &signal);
    while (!server.is_running()) std::this_thread::yield(); // stop() does nothing before that
    server.stop();
  });
  const bool served = server.listen_after_bind();
  waits_for_signal.join();
  return served;
}

} // namespace shop
