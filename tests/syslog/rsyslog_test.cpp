// Against rsyslogd itself, over each of the transports.
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <faultline/syslog.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/manual_runtime.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::child_process;
using test::contents;
using test::within;

namespace {

/// rsyslogd with one input, writing what it understood of each message to a file.
class rsyslog {
 public:
  explicit rsyslog(syslog_transport transport) {
    options_.transport = transport;
    options_.path = directory_.file("socket");
    options_.port = test::free_port(transport == syslog_transport::tcp ? SOCK_STREAM : SOCK_DGRAM);
    options_.hostname = "web3";
    options_.app_name = "shop";
    std::ofstream(directory_.file("rs.conf"))
        << "global(workDirectory=\"" << directory_.file("") << "\" maxMessageSize=\"64k\")\n"
        << input()
        << "template(name=\"t\" type=\"string\" string=\"%pri%|%timestamp:::date-rfc3339%|%hostname%|"
        << "%app-name%|%msgid%|%structured-data%|%msg%\\n\")\n"
        << "action(type=\"omfile\" file=\"" << directory_.file("out") << "\" template=\"t\")\n";
    start();
  }

  void start() {
    server_ = std::make_unique<child_process>(std::vector<std::string>{
        RSYSLOGD, "-n", "-f", directory_.file("rs.conf"), "-i", directory_.file("pid")});
    REQUIRE(within(20s, [&] { return answers(); }));
  }
  void stop() { server_->end(SIGTERM); }

  [[nodiscard]] const syslog_options& options() const { return options_; }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::istringstream all(contents(directory_.file("out")));
    std::vector<std::string> result;
    for (std::string line; std::getline(all, line);)
      if (line.find("|shop|") != std::string::npos) result.push_back(line);
    return result;
  }

 private:
  [[nodiscard]] std::string input() const {
    const std::string port = std::to_string(options_.port);
    switch (options_.transport) {
    case syslog_transport::tcp:
      return "module(load=\"imtcp\")\ninput(type=\"imtcp\" address=\"127.0.0.1\" port=\"" + port + "\")\n";
    case syslog_transport::udp:
      return "module(load=\"imudp\")\ninput(type=\"imudp\" address=\"127.0.0.1\" port=\"" + port + "\")\n";
    default:
      return "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"" +
             options_.path + "\" UseSpecialParser=\"off\" ParseHostname=\"on\" RateLimit.Interval=\"0\")\n";
    }
  }
  /// Whether the address is taken, for datagrams, or takes connections.
  [[nodiscard]] bool answers() const {
    switch (options_.transport) {
    case syslog_transport::udp: return contents("/proc/net/udp").find(local_port()) != std::string::npos;
    case syslog_transport::tcp: return accepts();
    default: return contents("/proc/net/unix").find(options_.path) != std::string::npos;
    }
  }
  /// As /proc/net/udp has it. To bind the port by way of a question could keep the server from it.
  [[nodiscard]] std::string local_port() const {
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "0100007F:%04X ", static_cast<unsigned>(options_.port));
    return text.data();
  }
  [[nodiscard]] bool accepts() const {
    const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(options_.port);
    const bool good = ::connect(s, reinterpret_cast<::sockaddr*>(&a), sizeof a) == 0;
    ::close(s);
    return good;
  }

  test::temporary_directory directory_;
  syslog_options options_;
  std::unique_ptr<child_process> server_;
};

const auto transports = {syslog_transport::unix_datagram, syslog_transport::udp, syslog_transport::tcp};

runtime_options to(const handler_ptr& h) {
  runtime_options options;
  options.default_target = h;
  return options;
}

} // namespace

TEST_CASE("rsyslog understands each part of a dump's messages, over each transport") {
  for (const syslog_transport transport : transports) {
    rsyslog server(transport);
    test::manual_runtime rt(to(make_syslog_handler(server.options())));
    const logger lg = rt.get("shop.order");
    {
      FAULTLINE_SCOPE(lg, .name = "order");
      FAULTLINE_DEBUG(lg, "order {} has ünïcode and a \"quote\"", 4711);
      FAULTLINE_ERROR(lg, "no stock");
    }
    REQUIRE(rt.get_runtime().flush(10s));
    REQUIRE(within(10s, [&] { return server.lines().size() == 3; }));
    const std::vector<std::string> lines = server.lines();
    CHECK_THAT(lines[0], test::contains("11|") && test::contains("|web3|shop|dump|[meta sequenceId=\"1\"]") &&
                             test::contains("records=\"2\"") && test::contains("trigger level (ERROR)"));
    CHECK_THAT(lines[1], test::contains("15|") && test::contains("|web3|shop|shop.order|") &&
                             test::contains("dump_id=\"1\" scope=\"order\"") &&
                             test::contains("order 4711 has ünïcode and a \"quote\""));
    CHECK_THAT(lines[2], test::contains("11|") && test::contains("no stock"));
  }
}

TEST_CASE("a restart of the server in the middle loses nothing, over TCP and over the local socket") {
  for (const syslog_transport transport : {syslog_transport::unix_datagram, syslog_transport::tcp}) {
    constexpr int count = 3000;
    rsyslog server(transport);
    const handler_ptr h = make_syslog_handler(server.options());
    runtime_options options = to(h);
    options.on_error = [](const error_report&) {}; // that the server is away is no news here
    test::manual_runtime rt(std::move(options));
    logger lg = rt.get("restart");
    lg.add_handler(h);
    for (int i = 0; i < count; ++i) {
      if (i == count / 3) server.stop();
      if (i == 2 * count / 3) server.start();
      FAULTLINE_INFO(lg, "number {};", i);
      if (i % 10 == 9) (void)rt.get_runtime().flush(1ms);
    }
    REQUIRE(rt.get_runtime().flush(20s));
    const auto missing = [&] {
      std::set<int> seen;
      for (const std::string& line : server.lines())
        if (const std::size_t at = line.find("number "); at != std::string::npos)
          seen.insert(std::stoi(line.substr(at + 7)));
      return count - static_cast<int>(seen.size());
    };
    CHECK(within(10s, [&] { return missing() == 0; }));
    CHECK(missing() == 0);
    CHECK(h->lost() == 0);
  }
}
