// An order server: what a request does is logged at DEBUG, step by step, and appears only when it fails.
//
//   order_server --log FILE [--threads N] [--clock tsc|scope]
//
// prints its port as one line of JSON, serves POST /order and GET /stats on 127.0.0.1 until SIGTERM, and
// prints its counters as one line of JSON.
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <sys/resource.h>

#include "http_front.hpp"
#include "logging.hpp"

namespace {

struct options {
  shop::logging_options logging;
  std::size_t threads = 8;
};

bool read_option(std::string_view name, std::string_view value, options& o) {
  if (name == "--log")
    o.logging.path = value;
  else if (name == "--clock" && (value == "tsc" || value == "scope"))
    o.logging.exact_times = value == "tsc";
  else if (name != "--threads" ||
           std::from_chars(value.data(), value.data() + value.size(), o.threads).ptr != value.end())
    return false;
  return true;
}

bool read_options(int count, char** words, options& o) {
  for (int i = 1; i + 1 < count; i += 2)
    if (!read_option(words[i], words[i + 1], o)) return false;
  return count % 2 == 1 && !o.logging.path.empty() && o.threads > 0;
}

/// Counted apart from the log, so that the two can be compared.
std::atomic<std::uint64_t> requests{0};
std::atomic<std::uint64_t> failed{0};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string counters() {
  return fmt::format("{{\"requests\": {}, \"failed\": {}, \"cpu_seconds\": {:.3f}, \"logging\": {}}}\n",
                     requests.load(), failed.load(), cpu_seconds(), shop::logging_counters());
}

/// Makes the threads that are started from here on leave the signals to the one that waits for them.
void block_ending_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}

bool run(const options& o) {
  shop::http_front front;
  front.threads = o.threads;
  front.on_order = [](std::string_view body, std::string_view traceparent) {
    shop::answer a = shop::take_order(++requests, body, traceparent);
    if (a.status >= 500) ++failed;
    return a;
  };
  front.on_stats = counters;
  front.on_listening = [&o](int port) {
    SHOP_INFO(shop::shop_logger, "serving orders on port {} with {} threads", port, o.threads);
    fmt::print("{{\"port\": {}}}\n", port);
    std::fflush(stdout);
  };
  const bool served = shop::serve_until_terminated(front);
  SHOP_INFO(shop::shop_logger, "served {} requests, {} failed", requests.load(), failed.load());
  return served;
}

} // namespace

int main(int count, char** words) {
  options o;
  if (!read_options(count, words, o)) {
    fmt::print(stderr, "usage: {} --log FILE [--threads N] [--clock tsc|scope]\n", words[0]);
    return 2;
  }
  block_ending_signals();
  try {
    shop::start_logging(o.logging);
    const bool served = run(o);
    shop::stop_logging();
    fmt::print("{}", counters());
    return served ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", words[0], e.what());
    return 1;
  }
}
