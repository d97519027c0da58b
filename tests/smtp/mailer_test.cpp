#include "smtp/mailer.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "smtp/fake_post.hpp"
#include "support/catch.hpp"
#include "support/in_time.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace faultline::detail;
using namespace std::chrono_literals;
using test::body_of;
using test::closes;
using test::contains;
using test::fake_post;
using test::field_of;
using test::fields_of;
using test::make_mailer;
using test::numbered_records;
using test::sample_options;
using test::settle;
using test::text_of;

TEST_CASE("a mail goes when so many records have gathered, and the rest when it is asked for") {
  fake_post post;
  smtp_options options = sample_options();
  options.records_per_mail = 10;
  const auto m = make_mailer(options);
  const numbered_records records(102);
  m->write(records.all());
  settle(*m);
  REQUIRE(post.mails.size() == 10);
  CHECK(m->pending());
  m->flush_all();
  REQUIRE(post.mails.size() == 11);
  settle(*m);
  CHECK_FALSE(m->pending());
  for (std::size_t i = 0; i < 11; ++i)
    CHECK(body_of(post.mails[i]) == text_of(10 * i, std::min<std::size_t>(10 * i + 10, 102)));
  CHECK(m->counts().sent == 102);
  CHECK(m->counts().mails == 11);
  CHECK(closes(m->counts()));
}

TEST_CASE("records in one call and records one by one make the same mails") {
  fake_post post;
  smtp_options options = sample_options();
  options.records_per_mail = 3;
  const auto m = make_mailer(options);
  const numbered_records records(7);
  for (std::size_t i = 0; i < records.size(); ++i) m->write(records.one(i));
  m->last_flush(test::in_time());
  REQUIRE(post.mails.size() == 3);
  CHECK(body_of(post.mails[0]) == text_of(0, 3));
  CHECK(body_of(post.mails[2]) == text_of(6, 7));
}

TEST_CASE("no record waits longer than the digest's interval") {
  fake_post post;
  smtp_options options = sample_options();
  options.digest = 1min;
  const auto m = make_mailer(options);
  const numbered_records records(3);
  m->write(records.one(0));
  post.now += 59s;
  m->write(records.one(1));
  settle(*m);
  CHECK(post.mails.empty());
  post.now += 1s;
  settle(*m);
  REQUIRE(post.mails.size() == 1);
  CHECK(body_of(post.mails[0]) == text_of(0, 2));
  m->write(records.one(2)); // begins an interval of its own
  post.now += 59s;
  settle(*m);
  CHECK(post.mails.size() == 1);
}

TEST_CASE("a dump is never divided, and can be a mail of its own") {
  fake_post post;
  smtp_options options = sample_options();
  options.records_per_mail = 4;
  const dump_envelope envelope;
  const numbered_records records(9);
  for (const bool own : {false, true}) {
    post.mails.clear();
    options.one_mail_per_dump = own;
    const auto m = make_mailer(options);
    m->write(records.one(0));
    m->write(records.all(&envelope));
    m->write(records.one(1));
    m->last_flush(test::in_time());
    REQUIRE(post.mails.size() == (own ? 3 : 2));
    CHECK(body_of(post.mails[own ? 1 : 0]) == (own ? "" : text_of(0, 1)) + text_of(0, 9));
    CHECK(body_of(post.mails.back()) == text_of(1, 2));
  }
}

TEST_CASE("the subject is that of the first of the gravest records") {
  fake_post post;
  const auto m = make_mailer(sample_options());
  m->write(batch(std::vector{test::sample_record("a", level::info), test::sample_record("b", level::error)}));
  m->write(
      batch(std::vector{test::sample_record("c", level::error), test::sample_record("d", level::warning)}));
  m->last_flush(test::in_time());
  REQUIRE(post.mails.size() == 1);
  CHECK(field_of(post.mails[0], "Subject") == "ERROR shop.order: b");
}

TEST_CASE("a record cannot begin a header or another mail") {
  fake_post post;
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  const auto m = make_mailer(options);
  for (const char* evil : {"x\r\nBcc: victim@example.org", "x\nBcc: victim@example.org",
                           "x\r\n.\r\nMAIL FROM:<a@b>", "x\r\n\r\nbody", "=?UTF-8?Q?x=0D=0ABcc:_a@b?="})
    m->write(batch(std::vector{test::sample_record(evil)}));
  settle(*m);
  REQUIRE(post.mails.size() == 5);
  for (const std::string& mail : post.mails) {
    const std::string header = mail.substr(0, mail.find("\r\n\r\n") + 2);
    CHECK(fields_of(header) == 9);
    CHECK(header.find("\r\nBcc") == std::string::npos);
    CHECK(as_data(mail).find("\r\n.\r\n") == as_data(mail).size() - 5);
    const std::string body = body_of(mail);
    CHECK(std::count(body.begin(), body.end(), '\n') == std::count(body.begin(), body.end(), '\r'));
  }
  CHECK(field_of(post.mails[4], "Subject").substr(0, 10) == "=?UTF-8?B?");
}

TEST_CASE("each mail has an id of its own, which its second attempt keeps") {
  fake_post post;
  post.verdicts = {attempt::delayed};
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  const auto m = make_mailer(options);
  const numbered_records records(20);
  m->write(records.all());
  settle(*m);
  post.now += 1h;
  settle(*m);
  std::set<std::string> ids;
  for (const std::string& mail : post.mails) ids.insert(field_of(mail, "Message-ID"));
  CHECK(ids.size() == 20);
  for (const std::string& id : ids) CHECK_THAT(id, contains("@example.org>"));
}

TEST_CASE("the spool is bounded in bytes and in mails") {
  fake_post post;
  post.verdicts = {attempt::delayed};
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  const numbered_records records(1000);
  SECTION("bytes") { options.spool_bytes = 5000; }
  SECTION("mails") { options.spool_mails = 5; }
  const auto m = make_mailer(options);
  m->write(records.one(0));
  settle(*m); // the server is dead from here on
  m->write(records.all());
  CHECK(m->counts().spool_full > 900);
  CHECK(m->lost() == m->counts().spool_full);
  const std::uint64_t waiting = m->counts().taken - m->counts().spool_full;
  CHECK(waiting > 1);
  CHECK(waiting <= 20);
  post.now += 1h;
  settle(*m);
  CHECK(m->counts().sent == waiting);
  CHECK(closes(m->counts()));
  m->write(records.one(0));
  settle(*m);
  CHECK_THAT(body_of(post.mails.back()), contains("records before this mail were not sent: 0 by the limit"));
}

TEST_CASE("an empty spool takes a dump of any size") {
  fake_post post;
  smtp_options options = sample_options();
  options.spool_bytes = 100;
  options.one_mail_per_dump = true;
  const auto m = make_mailer(options);
  const numbered_records records(100);
  const dump_envelope envelope;
  m->write(records.all(&envelope));
  m->write(records.all(&envelope)); // the first waits still
  CHECK_THROWS_WITH(m->last_flush(test::in_time()), contains("spool_bytes"));
  CHECK(post.mails.size() == 1);
  CHECK(m->counts().spool_full == 100);
}

TEST_CASE("records that cannot be formatted are counted, and the others are sent") {
  struct failing final : formatter {
    void format(const batch& records, std::string& out) const override {
      out += "half";
      if (records.begin()->message() == "bad") throw std::runtime_error("not this one");
    }
  };
  fake_post post;
  const auto m = make_mailer(sample_options());
  m->set_formatter(std::make_shared<failing>());
  m->write(batch(std::vector{test::sample_record("good")}));
  m->write(batch(std::vector{test::sample_record("bad")}));
  CHECK_THROWS_WITH(m->last_flush(test::in_time()), contains("not this one"));
  REQUIRE(post.mails.size() == 1);
  CHECK_THAT(post.mails[0], contains("\r\nhalf\r\n"));
  CHECK(m->counts().given_up == 1);
  CHECK(closes(m->counts()));
}

TEST_CASE("a formatter that throws anything costs its records alone") {
  struct failing final : formatter {
    void format(const batch&, std::string&) const override { throw 42; }
  };
  fake_post post;
  const auto m = make_mailer(sample_options());
  m->set_formatter(std::make_shared<failing>());
  CHECK_NOTHROW(m->write(numbered_records(2).all()));
  CHECK_THROWS_WITH(m->flush(), contains("cannot be formatted"));
  CHECK(m->lost() == 2);
  CHECK(m->dropped() == 0);
}

TEST_CASE("destruction sends the rest") {
  fake_post post;
  const numbered_records records(3);
  auto m = make_mailer(sample_options());
  m->write(records.all());
  m.reset();
  REQUIRE(post.mails.size() == 1);
  CHECK(body_of(post.mails[0]) == text_of(0, 3));
}

TEST_CASE("a forked child forgets what the parent will send, and sends its own") {
  fake_post post;
  post.verdicts = {attempt::busy};
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  auto m = make_mailer(options);
  const numbered_records records(3);
  m->write(records.all());
  settle(*m);
  for (const bool told : {true, false}) { // a child that exits without having logged is not told
    const ::pid_t child = ::fork();
    if (child == 0) {
      post.verdicts.clear();
      if (told) {
        m->after_fork();
        if (m->pending() || m->lost() != 0) ::_exit(1);
        m->write(records.one(2));
        m->flush();
        if (m->counts().taken != 1 || !closes(m->counts())) ::_exit(3); // the child's own
      }
      m.reset();
      ::_exit(post.abandoned == 1 && post.mails.size() == (told ? 1 : 0) ? 0 : 2);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  post.verdicts.clear();
  m.reset();
  CHECK(post.mails.size() == 3);
}
