#include <chrono>
#include <string>
#include <system_error>

#include <faultline/configuration_error.hpp>
#include <faultline/syslog.hpp>

#include "support/catch.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::contains;

TEST_CASE("addresses that cannot be are refused by name") {
  const auto refused = [](auto change, const std::string& name) {
    syslog_options options;
    options.transport = syslog_transport::tcp;
    change(options);
    CHECK_THROWS_WITH(make_syslog_handler(options), contains(name));
  };
  refused([](syslog_options& o) { o.host = ""; }, "host");
  refused([](syslog_options& o) { o.port = 0; }, "port");
  refused([](syslog_options& o) { o.spool_bytes = 0; }, "spool_bytes");
  refused([](syslog_options& o) { o.connect_timeout = 0ms; }, "connect_timeout");
  refused([](syslog_options& o) { o.send_timeout = -1ms; }, "send_timeout");
  refused([](syslog_options& o) { o.max_retry_interval = 0ms; }, "max_retry_interval");
  refused([](syslog_options& o) { o.transport = static_cast<syslog_transport>(3); }, "transport");
  refused(
      [](syslog_options& o) {
        o.transport = syslog_transport::unix_datagram;
        o.path = std::string(108, 'p');
      },
      "path");
  syslog_options options;
  options.transport = syslog_transport::tcp;
  options.host = "256.0.0.1.invalid";
  CHECK_THROWS_AS(make_syslog_handler(options), std::system_error);
}
