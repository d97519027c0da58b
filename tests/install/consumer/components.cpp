// Uses each component that WITH_<component> names, and says so. No server is needed: what they take is lost,
// and counted.
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <faultline/faultline.hpp>

#ifdef WITH_syslog
#include <faultline/syslog.hpp>
#endif
#ifdef WITH_journald
#include <faultline/journald.hpp>
#endif
#ifdef WITH_settings
#include <faultline/json_configuration.hpp>
#endif
#ifdef WITH_smtp
#include <faultline/smtp.hpp>
#endif
#ifdef WITH_spdlog
#include <faultline/spdlog.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <sstream>
#endif
#ifdef WITH_glog
#include <faultline/glog.hpp>
#endif

namespace {

/// Writes one record to the handler; whether it was counted as lost when the runtime ended.
[[maybe_unused]] bool loses(faultline::handler_ptr target) {
  faultline::runtime_options options;
  options.default_target = target;
  options.on_error = [](const faultline::error_report&) {};
  {
    faultline::runtime rt(std::move(options));
    const auto lg = rt.get_logger("consumer");
    const faultline::error_scope scope(lg);
    FAULTLINE_ERROR(lg, "to nobody");
  }
  return target->lost() == 1;
}

} // namespace

int main() {
  std::string good;
#ifdef WITH_syslog
  if (loses(faultline::make_syslog_handler({.path = "/nonexistent/log"}))) good += " syslog";
#endif
#ifdef WITH_journald
  if (loses(faultline::make_journald_handler({.socket_path = "/nonexistent/socket"}))) good += " journald";
#endif
#ifdef WITH_settings
  faultline::configuration settings;
  faultline::read_json(settings, R"({"clock": "scope"})");
  if (settings.options().clock == faultline::clock_kind::scope) good += " settings";
#endif
#ifdef WITH_smtp
  if (loses(faultline::make_smtp_handler({.host = "127.0.0.1",
                                          .port = 1,
                                          .security = faultline::smtp_security::none,
                                          .sender = "a@example.org",
                                          .recipients = {"b@example.org"},
                                          .finish_limit = std::chrono::milliseconds(100)})))
    good += " smtp";
#endif
#ifdef WITH_spdlog
  std::ostringstream text;
  if (!loses(faultline::make_spdlog_sink_handler(std::make_shared<spdlog::sinks::ostream_sink_mt>(text))) &&
      text.str().find("to nobody") != std::string::npos)
    good += " spdlog";
#endif
#ifdef WITH_glog
  if (faultline::make_glog_sink(faultline::get_logger("consumer"))) good += " glog";
#endif
  std::printf("components:%s\n", good.c_str());
}
