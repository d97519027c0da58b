// The HTTP side: cpp-httplib's server and its thread pool, in a file of their own because the header is
// large.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "shop.hpp"

namespace shop {

struct http_front {
  std::size_t threads = 8; ///< httplib keeps a thread on each connection: as many as there are clients
  std::function<answer(std::string_view body, std::string_view traceparent)> on_order; ///< POST /order
  std::function<std::string()> on_stats;                                               ///< GET /stats
  std::function<void(int port)> on_listening;
};

/// Serves on a free port of 127.0.0.1 until the process receives SIGTERM or SIGINT. These must be blocked in
/// every thread. Returns when all threads of the pool have ended; false when no port could be had.
[[nodiscard]] bool serve_until_terminated(const http_front& front);

} // namespace shop
