#include "smtp/mail_text.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace faultline::detail;
using test::contains;

namespace {

std::string header(std::string_view name, std::string_view value) {
  std::string out;
  append_header(name, value, out);
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  append_quoted_printable(text, out);
  return out;
}

std::vector<std::string> lines_of(std::string text) {
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = text.find("\r\n")) != std::string::npos; text.erase(0, end + 2))
    lines.push_back(text.substr(0, end));
  CHECK(text.empty());
  return lines;
}

} // namespace

TEST_CASE("a mail is these bytes") {
  const std::vector<std::string> recipients = {"ops@example.org", "dev@example.org"};
  CHECK(make_mail({.date = test::sample_time(),
                   .sender = "shop@example.org",
                   .recipients = recipients,
                   .subject = "ERROR shop: no stock",
                   .id = "1.2.3@example.org",
                   .body = "first = 1\n.second\nthird \xC3\xA9\n"}) ==
        "Date: Wed, 01 May 2024 12:34:56 +0000\r\n"
        "From: shop@example.org\r\n"
        "To: ops@example.org, dev@example.org\r\n"
        "Subject: ERROR shop: no stock\r\n"
        "Message-ID: <1.2.3@example.org>\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
        "first =3D 1\r\n"
        ".second\r\n"
        "third =C3=A9\r\n");
}

TEST_CASE("lines that begin with a dot get another one, and a dot ends the mail") {
  CHECK(as_data("a\r\n.\r\n..b\r\nc.\r\n") == "a\r\n..\r\n...b\r\nc.\r\n.\r\n");
  CHECK(as_data("") == ".\r\n");
}

TEST_CASE("a subject in another script becomes encoded words of whole characters") {
  CHECK(header("Subject", "caf\xC3\xA9") == "Subject: =?UTF-8?B?Y2Fmw6k=?=\r\n");
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "\xE2\x82\xAC"; // three octets each
  const auto lines = lines_of(header("Subject", long_text));
  CHECK(lines.size() > 4);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i].size() <= 76);
    const std::string word = lines[i].substr(i == 0 ? 9 : 1);
    CHECK(word.substr(0, 10) == "=?UTF-8?B?");
    CHECK(word.substr(word.size() - 2) == "?=");
    CHECK((word.size() - 12) % 4 == 0);
    // Three octets are four digits: whole characters need no filling.
    CHECK(word.find("=?=") == std::string::npos);
  }
}

TEST_CASE("a subject that looks like an encoded word is encoded") {
  CHECK(header("Subject", "=?UTF-8?B?eA==?=") == "Subject: =?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=\r\n");
}

TEST_CASE("a long subject is folded before a space and keeps its white space") {
  std::string text;
  for (std::size_t i = 0; i < 30; ++i) text += "word" + std::string(1 + i % 3, ' ');
  text += "end";
  const auto lines = lines_of(header("Subject", text));
  CHECK(lines.size() > 2);
  std::string unfolded;
  for (const std::string& line : lines) {
    CHECK(line.size() <= 78);
    CHECK(line.find_first_not_of(' ') != std::string::npos);
    unfolded += line;
  }
  CHECK(unfolded == "Subject: " + text);
}

TEST_CASE("a subject is one line, bounded and without control characters") {
  CHECK(clean_subject("one\r\nBcc: victim@example.org") == "one");
  CHECK(clean_subject("one\nBcc: victim@example.org") == "one");
  CHECK(clean_subject(std::string_view("a\0b\x7F\x1B[2J", 8)) == "a?b??[2J");
  CHECK(clean_subject("  both ends \t \n") == "both ends ?");
  CHECK(clean_subject("\xC2\x85 \xE2\x80\xA8 \xFF \xC0\x80 \xED\xA0\x80") == "? ? ? ?? ???");
  CHECK(clean_subject(" ").empty());
  CHECK(clean_subject(std::string(1000, 'x')) == std::string(subject_characters, 'x') + "...");
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "\xE2\x82\xAC";
  CHECK(clean_subject(euros) == euros.substr(0, 3 * subject_characters) + "...");
}

TEST_CASE("a word that cannot be folded stays within the longest line of mail") {
  for (const std::string& line : lines_of(header("Subject", clean_subject(std::string(5000, 'x')))))
    CHECK(line.size() <= 998);
}

TEST_CASE("many recipients are folded between addresses") {
  const std::vector<std::string> many(20, "somebody.with.a.name@example.org");
  std::string out;
  append_address_header("To", many, out);
  std::string unfolded;
  for (const std::string& line : lines_of(out)) {
    CHECK(line.size() <= 78);
    unfolded += line;
  }
  std::string expected = "To:";
  for (std::size_t i = 0; i < many.size(); ++i) expected += " " + many[i] + (i + 1 < many.size() ? "," : "");
  CHECK(unfolded == expected);
}

TEST_CASE("the body is quoted-printable") {
  CHECK(printable("a=b\n") == "a=3Db\r\n");
  CHECK(printable("trailing \ntab\t\nend ") == "trailing=20\r\ntab=09\r\nend=20\r\n");
  CHECK(printable("a b\tc\n\nd\r\ne\rf\n") == "a b\tc\r\n\r\nd\r\ne=0Df\r\n");
  CHECK(printable(std::string_view("\0\xFF\x7F", 3)) == "=00=FF=7F\r\n");
  CHECK(printable("").empty());
}

TEST_CASE("a long line of the body is broken softly at 76 octets") {
  const std::string text(1000, 'x');
  const auto lines = lines_of(printable(text + "\n"));
  std::string joined;
  for (const std::string& line : lines) {
    CHECK(line.size() <= 76);
    joined += line.back() == '=' ? line.substr(0, line.size() - 1) : line;
  }
  CHECK(joined == text);
  for (const std::string& line : lines_of(printable(std::string(500, '\xFF')))) CHECK(line.size() <= 76);
}

TEST_CASE("a date is that of RFC 5322") {
  CHECK(date_text(test::sample_time()) == "Wed, 01 May 2024 12:34:56 +0000");
  CHECK(date_text(std::chrono::system_clock::time_point()) == "Thu, 01 Jan 1970 00:00:00 +0000");
}
