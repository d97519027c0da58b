#include "logging.hpp"

#include <chrono>
#include <exception>

#include <fmt/format.h>

#if defined(ORDER_SERVER_SPDLOG)
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#elif !defined(ORDER_SERVER_GLOG)
#include <faultline/faultline.hpp>
#endif

namespace shop {

#if defined(ORDER_SERVER_SPDLOG)

void start_logging(const logging_options& options) {
  // spdlog's defaults for asynchronous logging: a queue of 8192 records, one thread, and a full queue blocks
  // the thread that logs.
  spdlog::init_thread_pool(8192, 1);
  const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.path);
  const auto make = [&sink](const char* name) {
    auto made = std::make_shared<spdlog::async_logger>(name, sink, spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::block);
    made->set_level(spdlog::level::debug);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %-8l %n %v", spdlog::pattern_time_type::utc);
    return made;
  };
  shop_logger = make("shop");
  order_logger = make("shop.order");
  price_logger = make("shop.price");
}

void stop_logging() {
  shop_logger.reset();
  order_logger.reset();
  price_logger.reset();
  spdlog::shutdown();
}

std::string logging_counters() { return "{}"; }

#elif defined(ORDER_SERVER_GLOG)

void start_logging(const logging_options& options) {
  google::InitGoogleLogging("order_server");
  FLAGS_v = 1;
  FLAGS_timestamp_in_logfile_name = false;
  FLAGS_stderrthreshold = google::GLOG_FATAL;
  for (const auto severity : {google::GLOG_WARNING, google::GLOG_ERROR, google::GLOG_FATAL})
    google::SetLogDestination(severity, "");
  google::SetLogDestination(google::GLOG_INFO, options.path.c_str());
  google::SetLogSymlink(google::GLOG_INFO, "");
}

void stop_logging() { google::ShutdownGoogleLogging(); }

std::string logging_counters() { return "{}"; }

#else

void start_logging(const logging_options& options) {
  const faultline::handler_ptr file = faultline::make_file_handler(options.path);
  file->set_level(faultline::level::info);
  faultline::start({
      .default_target = file,
      // A request's records take some 4 KiB. The flusher shares one busy core with all threads of the pool
      // and comes late when the machine is busy besides: 63 requests of one thread may fail before it comes,
      // and none of them loses its records.
      .buffer_bytes = 16U << 10,
      .buffers_per_thread = 64,
      .clock = options.exact_times ? faultline::clock_kind::tsc : faultline::clock_kind::scope,
      .idle_interval = std::chrono::milliseconds(10),
  });
  // INFO and above appear whether a request fails or not. An ERROR that is in a dump is not written twice.
  faultline::get_logger("shop").add_handler(file);
}

void stop_logging() { faultline::stop(); }

std::string logging_counters() {
  const faultline::runtime_stats s = faultline::stats();
  return fmt::format(
      R"({{"logged": {}, "handed_over": {}, "passed_only": {}, "discarded": {}, "lost": {}, "forgotten": {}, )"
      R"("taken": {}, "written": {}, "suppressed": {}, "skipped": {}, "flusher_lost": {}, "in_flight": {}, )"
      R"("dumps": {}, "hand_overs": {}, "contexts_refused": {}, "contexts_suppressed": {}, )"
      R"("outbox_full": {}, "reentered": {}, "after_stop": {}, "scopes_refused": {}, )"
      R"("scopes_abandoned": {}, "handler_errors": {}, "format_errors": {}, "handler_lost": {}}})",
      s.logged, s.handed_over, s.passed_only, s.discarded, s.lost, s.forgotten, s.taken, s.written,
      s.suppressed, s.skipped, s.flusher_lost, s.in_flight, s.dumps, s.hand_overs, s.contexts_refused,
      s.contexts_suppressed, s.outbox_full, s.reentered, s.after_stop, s.scopes_refused, s.scopes_abandoned,
      s.handler_errors, s.format_errors, s.handler_lost);
}

#endif

#if !defined(ORDER_SERVER_HELD)

void request_scope::fail_with_current_exception() noexcept {
  progress p{request_};
  try {
    throw;
  } catch (const std::exception& e) {
    SHOP_FAILURE(p, order_logger, "call failed: {}", e.what());
  } catch (...) {
    SHOP_FAILURE(p, order_logger, "call failed");
  }
}

#endif

} // namespace shop
