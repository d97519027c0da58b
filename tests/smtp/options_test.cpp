#include "smtp/options.hpp"

#include <string>
#include <system_error>

#include <faultline/configuration_error.hpp>
#include <faultline/smtp.hpp>

#include "support/catch.hpp"

using namespace faultline;
using test::contains;

namespace {

smtp_options good() {
  return {.host = "mail.example.org", .sender = "shop@example.org", .recipients = {"ops@example.org"}};
}

/// The option that is refused; empty for none.
template <class Change> std::string refused(Change change) {
  smtp_options options = good();
  change(options);
  try {
    (void)make_smtp_handler(options);
  } catch (const configuration_error& e) {
    const std::string text = e.what();
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
    return e.option();
  }
  return {};
}

} // namespace

TEST_CASE("the options that are needed are enough") {
  CHECK(refused([](auto&) {}).empty());
}

TEST_CASE("the usual port belongs to the kind of protection") {
  CHECK(detail::checked_options(good()).port == 587);
  smtp_options options = good();
  options.security = smtp_security::tls;
  CHECK(detail::checked_options(options).port == 465);
  options.security = smtp_security::none;
  CHECK(detail::checked_options(options).port == 25);
  options.port = 2525;
  CHECK(detail::checked_options(options).port == 2525);
}

TEST_CASE("an address that could begin another header or command is refused") {
  for (const std::string& bad :
       {std::string("a@b.org\r\nBcc: c@d.org"), std::string("a@b.org\nDATA"), std::string("a\r@b.org"),
        std::string("a@b\0.org", 8), std::string("a@b.org> SIZE=1"), std::string("<a@b.org>"),
        std::string("a b@c.org"), std::string("a@b.org,c@d.org"), std::string("Shop <a@b.org>"),
        std::string("\"a\"@b.org"), std::string("a"), std::string("@b.org"), std::string("a@"),
        std::string("\xC3\xA9@b.org"), std::string("a@\xC3\xA9.org"), std::string(65, 'a') + "@b.org",
        "a@" + std::string(300, 'b'), std::string()}) {
    CAPTURE(bad);
    CHECK(refused([&](smtp_options& o) { o.sender = bad; }) == "sender");
    CHECK(refused([&](smtp_options& o) { o.recipients.push_back(bad); }) == "recipients");
  }
}

TEST_CASE("a refused value is shown up to a bound, cut between characters") {
  smtp_options options = good();
  const std::string kept(299, 'x');
  options.sender = kept + "\u00e9";
  CHECK_THROWS_WITH(make_smtp_handler(options), contains("'" + kept + "':"));
}

TEST_CASE("usual and unusual addresses are taken") {
  for (const char* address : {"a@b", "first.last+tag@sub.example.org", "o'brien@example.org",
                              "root@[127.0.0.1]", "root@[IPv6:::1]"}) {
    CAPTURE(address);
    CHECK(detail::wrong_in_address(address).empty());
  }
}

TEST_CASE("a subject pattern with a line end or an unknown field is refused") {
  CHECK(refused([](smtp_options& o) { o.subject = "x\r\nBcc: a@b.org"; }) == "subject");
  CHECK(refused([](smtp_options& o) { o.subject = std::string("x\0", 2); }) == "subject");
  CHECK_FALSE(refused([](smtp_options& o) { o.subject = "{nothing}"; }).empty());
}

TEST_CASE("numbers out of range are refused by their option's name") {
  using namespace std::chrono_literals;
  CHECK(refused([](smtp_options& o) { o.host = ""; }) == "host");
  CHECK(refused([](smtp_options& o) { o.host = "mail.example.org/x"; }) == "host");
  CHECK(refused([](smtp_options& o) { o.host = "user@mail"; }) == "host");
  CHECK(refused([](smtp_options& o) { o.host = "mail.example.org:25"; }) == "host");
  CHECK(refused([](smtp_options& o) { o.host = "2001:db8::7"; }).empty());
  CHECK(refused([](smtp_options& o) { o.security = static_cast<smtp_security>(9); }) == "security");
  CHECK(refused([](smtp_options& o) { o.recipients.clear(); }) == "recipients");
  CHECK(refused([](smtp_options& o) { o.records_per_mail = 0; }) == "records_per_mail");
  CHECK(refused([](smtp_options& o) { o.spool_bytes = 0; }) == "spool_bytes");
  CHECK(refused([](smtp_options& o) { o.spool_mails = 0; }) == "spool_mails");
  CHECK(refused([](smtp_options& o) { o.mails_per_hour = 100'001; }) == "mails_per_hour");
  CHECK(refused([](smtp_options& o) { o.connect_limit = 0s; }) == "connect_limit");
  CHECK(refused([](smtp_options& o) { o.mail_limit = -1s; }) == "mail_limit");
  CHECK(refused([](smtp_options& o) { o.retry_longest = 1ms; }) == "retry_longest");
  CHECK(refused([](smtp_options& o) { o.finish_limit = 2h; }) == "finish_limit");
  CHECK(refused([](smtp_options& o) { o.digest = -1s; }) == "digest");
}

TEST_CASE("a password is never sent in clear to another machine") {
  const auto login = [](smtp_options& o, const char* host) {
    o.security = smtp_security::none;
    o.host = host;
    o.user = "shop";
    o.password = "secret";
  };
  CHECK(refused([&](smtp_options& o) { login(o, "mail.example.org"); }) == "security");
  CHECK(refused([&](smtp_options& o) { login(o, "127.0.0.1"); }).empty());
  CHECK(refused([&](smtp_options& o) { login(o, "localhost"); }).empty());
}

TEST_CASE("no error's text holds the password") {
  smtp_options options = good();
  options.password = "se\ncret";
  options.user = "shop";
  CHECK_THROWS_WITH(make_smtp_handler(options), contains("password") && !contains("cret"));
  options.password = "secret";
  options.user = "";
  CHECK_THROWS_WITH(make_smtp_handler(options), contains("user") && !contains("secret"));
}

TEST_CASE("certificates that cannot be read are refused by their path") {
  smtp_options options = good();
  options.ca_file = "/nowhere/ca.pem";
  CHECK_THROWS_AS(make_smtp_handler(options), std::system_error);
  CHECK_THROWS_WITH(make_smtp_handler(options), contains("/nowhere/ca.pem"));
}
