// Python's cookbook recipe "Sending logging messages to email, with buffering": 102 records, ten to a mail,
// so eleven mails. `buffered_mail -h` tells the arguments; `buffered_mail localhost --security none --port
// 8025` goes with `python3 -m aiosmtpd -n`.
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <faultline/faultline.hpp>
#include <faultline/smtp.hpp>

namespace {

struct arguments {
  faultline::smtp_options mail{.host = {},
                               .sender = "logger@example.org",
                               .recipients = {"operator@example.org"},
                               .subject = "Test Logging email from faultline (buffering)",
                               .records_per_mail = 10};
  int records = 102;
};

void describe(CLI::App& app, arguments& a) {
  app.add_option("host", a.mail.host, "Mail server")->required();
  app.add_option("-p,--port", a.mail.port, "Its port; 0 for the usual one: 587, with tls 465, with none 25");
  const std::map<std::string, faultline::smtp_security> kinds = {
      {"starttls", faultline::smtp_security::starttls},
      {"tls", faultline::smtp_security::tls},
      {"none", faultline::smtp_security::none}};
  app.add_option_function<std::string>(
         "--security", [&a, kinds](const std::string& kind) { a.mail.security = kinds.at(kind); },
         "How the connection is protected; by default starttls")
      ->check(CLI::IsMember({"starttls", "tls", "none"}));
  app.add_option("--ca-file", a.mail.ca_file, "Certificates to trust, in place of the system's");
  app.add_option("--user", a.mail.user, "User's name, for a server that wants a login");
  app.add_option("--password", a.mail.password,
                 "Password; others can see it here, so rather in the environment")
      ->envname("FAULTLINE_SMTP_PASSWORD");
  app.add_option("--sender", a.mail.sender, "Sender's address");
  app.add_option("--to", a.mail.recipients, "A recipient's address; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-s,--subject", a.mail.subject, "Subject of the mails, a pattern");
  app.add_option("--capacity", a.mail.records_per_mail, "Records to a mail")->capture_default_str();
  app.add_option("--records", a.records, "Records to log")->capture_default_str();
}

int send(const arguments& a) {
  const auto mail = faultline::make_smtp_handler(a.mail);
  mail->set_formatter(faultline::make_text_formatter("{time} {level:<5} {message}"));
  // A batch program: where mails cannot go as fast as records come, it may wait.
  faultline::start({.on_outbox_full = faultline::outbox_policy::block});
  faultline::logger logger = faultline::get_logger();
  logger.add_handler(mail);
  for (int i = 0; i < a.records; ++i) FAULTLINE_INFO(logger, "Info index = {}", i);
  faultline::stop(std::chrono::seconds(30)); // sends the rest

  const faultline::smtp_counts counts = mail->counts();
  fmt::print("{} records in {} mails, {} records lost\n", counts.sent, counts.mails, mail->lost());
  return mail->lost() == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Sends log records by mail, a number of them in each.");
  arguments a;
  describe(app, a);
  CLI11_PARSE(app, argc, argv);
  try {
    return send(a);
  } catch (const std::exception& e) { // a wrong option, named
    fmt::print(stderr, "buffered_mail: {}\n", e.what());
    return 2;
  }
}
