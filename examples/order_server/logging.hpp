// How the shop logs: one thin layer of macros, so that one source becomes three servers that differ in
// nothing else. CMake defines one of
//
//   ORDER_SERVER_HELD          faultline; each request's DEBUG records are held in a scope
//   ORDER_SERVER_COMPILED_OUT  faultline; no DEBUG statement is compiled and no scope is entered: what
//   logging
//                              costs at least
//   ORDER_SERVER_SPDLOG        spdlog's asynchronous logger; every record is written
//   ORDER_SERVER_GLOG          glog; every record is written, by the thread that logs
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#if defined(ORDER_SERVER_SPDLOG)
#include <memory>

#include <spdlog/spdlog.h>
#elif defined(ORDER_SERVER_GLOG)
#include <fmt/format.h>
#include <glog/logging.h>
#else
#include <faultline/log.hpp>
#endif

namespace shop {

struct logging_options {
  std::string path;
  bool exact_times = true; ///< of held records; false: see faultline::clock_kind::scope
};

/// Opens the log file and sets the loggers up. Called once, before the first record.
void start_logging(const logging_options& options);

/// Writes what is outstanding.
void stop_logging();

/// The logging library's own counters as a JSON object.
[[nodiscard]] std::string logging_counters();

/// How far a request is: its number and the number of its latest step, which every record carries. So a
/// reader, or a script, sees whether a story is complete.
struct progress {
  std::uint64_t request = 0;
  std::uint32_t step = 0;

  std::uint32_t next_step() noexcept { return ++step; }
};

#if defined(ORDER_SERVER_SPDLOG)

inline std::shared_ptr<spdlog::logger> shop_logger;
inline std::shared_ptr<spdlog::logger> order_logger;
inline std::shared_ptr<spdlog::logger> price_logger;

#define SHOP_INFO(lg, ...) (lg)->info(__VA_ARGS__)
#define SHOP_STEP(p, lg, text, ...)                                                                          \
  (lg)->debug("request {} step {}: " text, (p).request, (p).next_step() __VA_OPT__(, ) __VA_ARGS__)
#define SHOP_FAILURE(p, lg, text, ...)                                                                       \
  (lg)->error("request {} step {}: " text, (p).request, (p).next_step() __VA_OPT__(, ) __VA_ARGS__)

#elif defined(ORDER_SERVER_GLOG)

// glog has no loggers: their names are part of the text.
inline constexpr std::string_view shop_logger = "shop";
inline constexpr std::string_view order_logger = "shop.order";
inline constexpr std::string_view price_logger = "shop.price";

#define SHOP_INFO(lg, ...) LOG(INFO) << (lg) << ' ' << fmt::format(__VA_ARGS__)
#define SHOP_STEP(p, lg, text, ...)                                                                          \
  VLOG(1) << (lg) << ' '                                                                                     \
          << fmt::format("request {} step {}: " text, (p).request,                                           \
                         (p).next_step() __VA_OPT__(, ) __VA_ARGS__)
#define SHOP_FAILURE(p, lg, text, ...)                                                                       \
  LOG(ERROR) << (lg) << ' '                                                                                  \
             << fmt::format("request {} step {}: " text, (p).request,                                        \
                            (p).next_step() __VA_OPT__(, ) __VA_ARGS__)

#else

inline const faultline::logger shop_logger = faultline::get_logger("shop");
inline const faultline::logger order_logger = faultline::get_logger("shop.order");
inline const faultline::logger price_logger = faultline::get_logger("shop.price");

/// A record that is always written.
#define SHOP_INFO(lg, ...) FAULTLINE_INFO(lg, __VA_ARGS__)
/// One step of a request, at DEBUG.
#define SHOP_STEP(p, lg, text, ...)                                                                          \
  FAULTLINE_DEBUG(lg, "request {} step {}: " text, (p).request, (p).next_step() __VA_OPT__(, ) __VA_ARGS__)
/// The step at which a request fails, at ERROR.
#define SHOP_FAILURE(p, lg, text, ...)                                                                       \
  FAULTLINE_ERROR(lg, "request {} step {}: " text, (p).request, (p).next_step() __VA_OPT__(, ) __VA_ARGS__)

#endif

#if defined(ORDER_SERVER_HELD)

/// One request's error scope.
class request_scope {
 public:
  request_scope(const progress& p, std::string_view traceparent) : scope_(shop_logger, {.name = "order"}) {
    scope_.field("request", p.request);
    if (!traceparent.empty())
      scope_.traceparent(traceparent); // an invalid one is no reason to refuse an order
  }

  /// Called in a `catch` whose exception ends the request: writes the exception with the request's records.
  /// (log_if_errors does this by itself; this scope has fields of its own, which that cannot know.)
  void fail_with_current_exception() noexcept { scope_.fail_with_current_exception(); }

 private:
  faultline::error_scope scope_;
};

#else

/// Holds nothing; an escaping exception is one ERROR record.
class request_scope {
 public:
  request_scope(const progress& p, std::string_view /*traceparent*/) noexcept : request_(p.request) {}
  void fail_with_current_exception() noexcept;

 private:
  std::uint64_t request_;
};

#endif

} // namespace shop
