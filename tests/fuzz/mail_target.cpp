#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/check.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"
#include "smtp/mail_text.hpp"
#include "smtp/options.hpp"

namespace faultline::fuzz {
namespace {

using namespace detail;

/// The lines of a mail without their CRLF; a CR or LF by itself is a finding.
std::vector<std::string_view> lines_of(std::string_view mail) {
  std::vector<std::string_view> lines;
  lines.reserve(64);
  while (!mail.empty()) {
    const std::size_t end = mail.find("\r\n");
    check(end != std::string_view::npos, "a mail ends with CRLF");
    lines.push_back(mail.substr(0, end));
    check(lines.back().find_first_of("\r\n") == std::string_view::npos, "no CR and no LF stands alone");
    check(lines.back().size() <= 998, "a line is not longer than 998 octets");
    mail.remove_prefix(end + 2);
  }
  return lines;
}

int digit_of(char c, std::string_view digits) {
  const std::size_t at = digits.find(c);
  check(at != std::string_view::npos, "a digit");
  return static_cast<int>(at);
}

std::string base64_decoded(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  check(text.size() % 4 == 0, "base64 comes in fours");
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6U | static_cast<unsigned>(digit_of(c, digits));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return out;
}

/// A header field's value: unfolded, and encoded words decoded.
std::string decoded_header(std::string value) {
  constexpr std::string_view begin = "=?UTF-8?B?";
  std::string out;
  if (!value.starts_with(begin)) return value;
  std::string_view rest = value;
  while (!rest.empty()) {
    check(rest.starts_with(begin), "encoded words follow each other");
    const std::size_t end = rest.find("?=", begin.size());
    check(end != std::string_view::npos && end + 2 <= 75, "an encoded word ends, and is not too long");
    const std::string word = base64_decoded(rest.substr(begin.size(), end - begin.size()));
    check(test::is_clean(word), "an encoded word holds whole characters");
    out += word;
    rest.remove_prefix(end + 2);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  return out;
}

std::string quoted_printable_decoded(const std::vector<std::string_view>& lines, std::size_t from) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (std::size_t n = from; n < lines.size(); ++n) {
    const std::string_view line = lines[n];
    check(line.size() <= 76, "a line of the body has at most 76 octets");
    check(line.empty() || (line.back() != ' ' && line.back() != '\t'), "no white space ends a line");
    bool goes_on = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      check((line[i] >= ' ' && line[i] <= '~') || line[i] == '\t', "a body is printable ASCII");
      if (line[i] != '=') {
        out += line[i];
      } else if (i + 1 == line.size()) {
        goes_on = true;
      } else {
        check(i + 2 < line.size(), "two digits");
        out += static_cast<char>(digit_of(line[i + 1], digits) << 4 | digit_of(line[i + 2], digits));
        i += 2;
      }
    }
    if (!goes_on) out += "\r\n";
  }
  return out;
}

/// What a body's text becomes: line ends of either kind are CRLF, and one ends it.
std::string expected_body(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i] == '\n' ? "\r\n" : std::string(1, text[i]);
  }
  if (!text.empty() && text.back() != '\n') out += "\r\n";
  return out;
}

std::string expected_subject(std::string_view text) {
  text = text.substr(0, text.find_first_of("\r\n"));
  std::string out;
  for (std::size_t n = 0; !text.empty(); ++n) {
    const character c = first_character(text);
    if (n == subject_characters) {
      out += "...";
      break;
    }
    out += c.valid && !is_control(c.point) ? std::string(text.substr(0, c.size)) : "?";
    text.remove_prefix(c.size);
  }
  out.erase(0, std::min(out.find_first_not_of(' '), out.size()));
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

/// Takes the header off: the values of exactly these fields, unfolded.
std::vector<std::string> header_of(const std::vector<std::string_view>& lines, std::size_t& next) {
  constexpr std::array<std::string_view, 9> names{
      "Date",         "From",         "To",
      "Subject",      "Message-ID",   "Auto-Submitted",
      "MIME-Version", "Content-Type", "Content-Transfer-Encoding"};
  std::vector<std::string> values;
  for (; next < lines.size() && !lines[next].empty(); ++next) {
    const std::string_view line = lines[next];
    check(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }),
          "a header is printable ASCII");
    if (line.front() == ' ') {
      check(!values.empty() && line.find_first_not_of(' ') != std::string_view::npos,
            "a folded line says something");
      values.back() += line;
      continue;
    }
    check(values.size() < names.size() && line.starts_with(names[values.size()]) &&
              line.compare(names[values.size()].size(), 2, ": ") == 0,
          "no header field but those there are: ", line);
    values.emplace_back(line.substr(names[values.size()].size() + 2));
  }
  check(values.size() == names.size() && next < lines.size(), "all header fields, and an empty line");
  ++next;
  return values;
}

void check_address(std::string_view address) {
  for (const char c : address)
    check(c > ' ' && c <= '~' && std::string_view("\"(),;<>\\").find(c) == std::string_view::npos,
          "an address that is accepted holds nothing that ends it");
}

void check_data(const std::string& mail) {
  const std::string data = as_data(mail);
  std::vector<std::string_view> lines = lines_of(data);
  check(!lines.empty() && lines.back() == ".", "a dot ends the data");
  lines.pop_back();
  std::string again;
  for (const std::string_view line : lines) {
    check(line != ".", "no dot ends the data before");
    again += line.starts_with('.') ? line.substr(1) : line;
    again += "\r\n";
  }
  check_equal(again, mail, "the server gets the mail");
}

} // namespace

int fuzz_mail(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  const std::string subject_text = in.text();
  std::vector<std::string> recipients{"ops@example.org"};
  const std::size_t more = in.pick(5);
  for (std::size_t i = 0; i < more; ++i) {
    std::string address = in.text();
    if (wrong_in_address(address).empty()) recipients.push_back(std::move(address));
  }
  for (const std::string& address : recipients) check_address(address);
  const auto date =
      std::chrono::system_clock::time_point(std::chrono::nanoseconds(in.number<std::int64_t>()));
  const std::string body = in.rest();

  const std::string subject = clean_subject(subject_text);
  check_equal(subject, expected_subject(subject_text), "a subject is one line's clean beginning");
  const std::string mail =
      make_mail({date, recipients.back(), recipients, subject, "1.2.3@example.org", body});
  const std::string read = doctored(mail);
  const std::vector<std::string_view> lines = lines_of(read);
  std::size_t next = 0;
  const std::vector<std::string> header = header_of(lines, next);
  check_equal(decoded_header(header[3]), subject, "the subject reads back");
  check_equal(header[1], recipients.back(), "the sender reads back");
  std::string all;
  for (const std::string& address : recipients) all += (all.empty() ? "" : ", ") + address;
  check_equal(header[2], all, "the recipients read back");
  check_equal(quoted_printable_decoded(lines, next), expected_body(body), "the body reads back");
  check_data(mail);
  return 0;
}

} // namespace faultline::fuzz
