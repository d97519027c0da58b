#include "smtp/options.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "base/whole_characters.hpp"

namespace faultline::detail {
namespace {

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool consists_of(std::string_view text, std::string_view others) noexcept {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

/// For error texts, which are one line each: control characters become '?'.
std::string shown(std::string_view value) {
  std::string result(whole_characters(value, 300));
  std::replace_if(result.begin(), result.end(), is_control, '?');
  return result;
}

void check_range(std::string_view option, std::size_t value, std::size_t least, std::size_t most) {
  if (value < least || value > most)
    throw configuration_error(option, std::to_string(value),
                              "must be from " + std::to_string(least) + " to " + std::to_string(most));
}

void check_time(std::string_view option, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                std::chrono::nanoseconds most, std::string_view allowed) {
  if (value < least || value > most)
    throw configuration_error(option, std::to_string(value.count()) + " ns", allowed);
}

void check_times(const smtp_options& o) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  constexpr milliseconds least(1);
  constexpr std::string_view hour = "must be from 1 ms to one hour";
  check_time("digest", o.digest, hours(0), hours(24 * 7), "must be from 0 to one week");
  check_time("connect_limit", o.connect_limit, least, hours(1), hour);
  check_time("mail_limit", o.mail_limit, least, hours(1), hour);
  check_time("retry_first", o.retry_first, least, hours(1), hour);
  check_time("retry_longest", o.retry_longest, o.retry_first, hours(24),
             "must be from retry_first to one day");
  check_time("give_up_after", o.give_up_after, hours(0), hours(24 * 7), "must be from 0 to one week");
  check_time("finish_limit", o.finish_limit, hours(0), minutes(1), "must be from 0 to one minute");
}

void check_address(std::string_view option, std::string_view address) {
  if (const std::string_view wrong = wrong_in_address(address); !wrong.empty())
    throw configuration_error(option, shown(address), wrong);
}

bool is_this_machine(std::string_view host) noexcept {
  return host == "localhost" || host == "::1" ||
         (host.substr(0, 4) == "127." && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

void check_login(const smtp_options& o) {
  if (std::any_of(o.user.begin(), o.user.end(), is_control))
    throw configuration_error("user", shown(o.user), "control characters cannot be in it");
  if (std::any_of(o.password.begin(), o.password.end(), is_control))
    throw configuration_error("password", "(not shown)", "control characters cannot be in it");
  if (o.user.empty() && !o.password.empty())
    throw configuration_error("user", "", "a password without a user");
  if (!o.user.empty() && o.security == smtp_security::none && !is_this_machine(o.host))
    throw configuration_error("security", "none",
                              "a password would cross the network in clear; use starttls or tls");
}

void check_server(const smtp_options& o) {
  if (o.host.empty() || o.host.size() > 255 || !consists_of(o.host, ".-_:"))
    throw configuration_error("host", shown(o.host), "must be a name or an address, without a port");
  ::in6_addr unused{};
  if (o.host.find(':') != std::string::npos && ::inet_pton(AF_INET6, o.host.c_str(), &unused) != 1)
    throw configuration_error("host", shown(o.host),
                              "with a colon in it must be an IPv6 address; `port` is the port");
  if (o.security > smtp_security::none)
    throw configuration_error("security", std::to_string(static_cast<int>(o.security)),
                              "must be starttls, tls or none");
  if (o.ca_file.empty()) return;
  if (o.ca_file.find('\0') != std::string::npos)
    throw configuration_error("ca_file", shown(o.ca_file), "a null character is in it");
  if (::access(o.ca_file.c_str(), R_OK) != 0)
    throw std::system_error(errno, std::generic_category(), "ca_file: '" + shown(o.ca_file) + "'");
}

std::uint16_t usual_port(smtp_security security) noexcept {
  switch (security) {
  case smtp_security::tls: return 465;
  case smtp_security::none: return 25;
  default: return 587;
  }
}

} // namespace

std::string_view wrong_in_address(std::string_view address) noexcept {
  if (std::any_of(address.begin(), address.end(), is_control))
    return "a control character is in it, which could begin another header or command";
  if (address.size() > 254) return "longer than 254 octets";
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return "must be an address such as name@example.org";
  const std::string_view local = address.substr(0, at);
  std::string_view domain = address.substr(at + 1);
  if (local.empty() || local.size() > 64) return "the part before the @ must have 1 to 64 octets";
  if (!consists_of(local, ".!#$%&'*+-/=?^_`{|}~"))
    return "before the @ only ASCII letters, digits and .!#$%&'*+-/=?^_`{|}~ are allowed";
  const bool literal = domain.size() > 2 && domain.front() == '[' && domain.back() == ']';
  if (literal) domain = domain.substr(1, domain.size() - 2);
  if (domain.empty() || !consists_of(domain, literal ? ".-:" : ".-"))
    return "after the @ must be a domain of ASCII letters, digits, dots and hyphens";
  return {};
}

smtp_options checked_options(smtp_options options) {
  check_server(options);
  check_login(options);
  check_address("sender", options.sender);
  check_range("recipients", options.recipients.size(), 1, 100); // RFC 5321 section 4.5.3.1.8
  for (const std::string& recipient : options.recipients) check_address("recipients", recipient);
  if (std::any_of(options.subject.begin(), options.subject.end(), is_control))
    throw configuration_error("subject", shown(options.subject),
                              "a control character is in it, which could begin another header");
  check_range("records_per_mail", options.records_per_mail, 1, 100'000);
  check_range("mails_per_hour", options.mails_per_hour, 0, 100'000);
  check_range("spool_bytes", options.spool_bytes, 1, std::size_t{1} << 30);
  check_range("spool_mails", options.spool_mails, 1, 100'000);
  check_times(options);
  if (!options.ca_file.empty()) // absolute: chdir changes nothing
    options.ca_file = std::filesystem::absolute(options.ca_file).string();
  if (options.port == 0) options.port = usual_port(options.security);
  return options;
}

} // namespace faultline::detail
