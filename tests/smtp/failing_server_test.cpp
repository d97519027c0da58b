// What becomes of mails that a server delays or refuses.
#include <chrono>
#include <stdexcept>
#include <string>

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
using test::make_mailer;
using test::numbered_records;
using test::sample_options;
using test::settle;
using test::text_of;

TEST_CASE("beyond the mails of an hour records are counted and told in the next mail") {
  fake_post post;
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  options.mails_per_hour = 2;
  const auto m = make_mailer(options);
  const numbered_records records(10);
  for (std::size_t i = 0; i < 5; ++i) {
    m->write(records.one(i));
    post.now += 1min;
  }
  CHECK(settle(*m) == 1);
  CHECK(post.mails.size() == 2);
  CHECK(m->counts().held_back == 3);
  CHECK(m->lost() == 3);
  CHECK_FALSE(m->pending());
  post.now += 54min; // 59 minutes after the first
  m->write(records.one(5));
  settle(*m);
  CHECK(post.mails.size() == 2);
  post.now += 1min; // an hour after the first, 59 minutes after the second
  m->write(records.one(6));
  m->write(records.one(7));
  settle(*m);
  REQUIRE(post.mails.size() == 3);
  CHECK(body_of(post.mails[2]) ==
        "--- 4 records before this mail were not sent: 4 by the limit of 2 mails an =\r\n"
        "hour, 0 for other reasons\r\n" +
            text_of(6, 7));
  CHECK(m->counts().held_back == 5);
  CHECK(closes(m->counts()));
}

TEST_CASE("a mail that is delayed is tried again after pauses that double up to the longest") {
  fake_post post;
  post.verdicts.assign(6, attempt::delayed);
  smtp_options options = sample_options();
  options.retry_first = 1s;
  options.retry_longest = 5s;
  const auto m = make_mailer(options);
  const numbered_records records(1);
  m->write(records.all());
  CHECK_THROWS(m->last_flush(test::in_time())); // makes the mail, tries it once, and counts it as lost
  CHECK(post.attempts == 1);
  CHECK(m->counts().unfinished == 1);

  m->write(records.all());
  post.now += 1h;
  CHECK_NOTHROW(m->flush_all()); // reported already
  CHECK(post.attempts == 2);
  std::size_t attempts = 2;
  for (const auto pause : {2s, 4s, 5s, 5s}) { // the first was one second, at last_flush
    post.now += pause - 1ms;
    settle(*m);
    CHECK(post.attempts == attempts);
    post.now += 1ms;
    settle(*m);
    CHECK(post.attempts == ++attempts);
  }
  post.now += 5s;
  settle(*m);
  CHECK(post.mails.size() == 1);
  CHECK(m->counts().sent == 1);
  CHECK(m->counts().failures == 6);
}

TEST_CASE("a failing server is reported once until a mail is sent") {
  fake_post post;
  post.verdicts.assign(3, attempt::delayed);
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  const auto m = make_mailer(options);
  const numbered_records records(2);
  m->write(records.one(0));
  std::size_t errors = 0;
  for (int i = 0; i < 4; ++i, post.now += 10min) errors += settle(*m);
  CHECK(errors == 1);
  CHECK(post.mails.size() == 1);
  post.verdicts = {attempt::delayed};
  m->write(records.one(1));
  CHECK(settle(*m) == 1);
}

TEST_CASE("a login that was refused is tried again only after the longest pause") {
  fake_post post;
  post.verdicts.assign(2, attempt::barred);
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  const auto m = make_mailer(options);
  const numbered_records records(1);
  m->write(records.all());
  settle(*m);
  post.now += options.retry_longest - 1ns;
  settle(*m);
  CHECK(post.attempts == 1);
  post.now += 1ns;
  settle(*m);
  CHECK(post.attempts == 2);
  CHECK_NOTHROW(m->last_flush(test::in_time()));
  CHECK(post.attempts == 2); // nor does the end make another attempt
  CHECK(m->counts().unfinished == 1);
}

TEST_CASE("a mail that the server refuses for good is lost alone") {
  fake_post post;
  post.verdicts = {attempt::sent, attempt::refused, attempt::sent};
  smtp_options options = sample_options();
  options.records_per_mail = 2;
  const auto m = make_mailer(options);
  const numbered_records records(6);
  m->write(records.all());
  CHECK(settle(*m) == 1);
  REQUIRE(post.mails.size() == 2);
  CHECK(body_of(post.mails[1]) == text_of(4, 6));
  CHECK(m->counts().refused == 2);
  CHECK(m->lost() == 2);
  CHECK(closes(m->counts()));
}

TEST_CASE("a mail that still fails at its age is given up") {
  fake_post post;
  post.verdicts.assign(100, attempt::delayed);
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  options.give_up_after = 1h;
  const auto m = make_mailer(options);
  const numbered_records records(2);
  m->write(records.one(0));
  settle(*m);
  post.now += 30min;
  m->write(records.one(1));
  settle(*m);
  post.now += 30min;
  settle(*m);
  CHECK(m->counts().given_up == 1);
  CHECK(closes(m->counts(), 1));
  post.now += 30min;
  settle(*m);
  CHECK(m->counts().given_up == 2);
  CHECK_FALSE(m->pending());
}

TEST_CASE("several failures of one round are all told") {
  fake_post post;
  post.verdicts = {attempt::refused};
  smtp_options options = sample_options();
  options.records_per_mail = 1;
  options.mails_per_hour = 1;
  const auto m = make_mailer(options);
  m->write(numbered_records(2).all());
  CHECK_THROWS_WITH(m->flush(), contains("mails_per_hour is reached") && contains("; as the test wished"));
}

TEST_CASE("what a mail loses of earlier batches is told apart from what it loses of the batch in hand") {
  fake_post post;
  smtp_options options = sample_options();
  options.records_per_mail = 3;
  const numbered_records records(4);
  SECTION("a mail that is held back has records of both") {
    options.mails_per_hour = 1;
    const auto m = make_mailer(options);
    m->write(batch(records.all().records().first(3))); // the hour's mail
    m->write(batch(records.all().records().first(2)));
    m->write(batch(records.all().records().first(2)));
    CHECK(m->lost() == 3);
    CHECK(m->dropped() == 2);
    CHECK(m->counts().held_back == 3);
  }
  SECTION("a mail that is refused, and what is left at the end, is of earlier ones") {
    post.verdicts = {attempt::refused, attempt::delayed};
    const auto m = make_mailer(options);
    m->write(batch(records.all().records().first(3)));
    CHECK_THROWS(m->flush());
    CHECK(m->dropped() == 3);
    m->write(records.one(0));
    m->last_flush(test::in_time());
    CHECK(m->lost() == 4);
    CHECK(m->dropped() == 4);
  }
}

TEST_CASE("while a server is dead, being waited for does not make many small mails") {
  fake_post post;
  post.verdicts = {attempt::busy};
  const auto m = make_mailer(sample_options());
  const numbered_records records(50);
  for (std::size_t i = 0; i < records.size(); ++i) {
    m->write(records.one(i));
    m->flush_all();
  }
  post.verdicts.clear();
  m->last_flush(test::in_time());
  CHECK(post.mails.size() == 2);
  CHECK(m->counts().sent == 50);
}

TEST_CASE("what the server has not accepted when time is over is counted as lost") {
  fake_post post;
  post.verdicts = {attempt::busy};
  const numbered_records records(3);
  const auto m = make_mailer(sample_options());
  m->write(records.all());
  m->last_flush(test::in_time());
  CHECK(m->counts().unfinished == 3);
  CHECK(m->lost() == 3);
  CHECK_FALSE(m->pending());
}
