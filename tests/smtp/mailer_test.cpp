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

#include "smtp/mail_text.hpp"
#include "smtp/options.hpp"
#include "support/catch.hpp"
#include "support/in_time.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace faultline::detail;
using namespace std::chrono_literals;
using test::contains;
using test::numbered_records;

namespace {

/// What the fake server does with each mail, what it received, and the time.
struct fake_post {
  std::deque<attempt> verdicts; ///< for the next attempts; then `sent`
  std::vector<std::string> mails;
  std::size_t attempts = 0;
  std::size_t abandoned = 0;
  std::chrono::nanoseconds now = 1h;

  static fake_post*& current() {
    static fake_post* post = nullptr;
    return post;
  }
  fake_post() { current() = this; }
  ~fake_post() { current() = nullptr; }

  static const mail_clock& clock() {
    static constexpr mail_clock fake = {.monotonic_now = [] { return current()->now; },
                                        .wall_now = [] { return test::sample_time(); }};
    return fake;
  }
};

class fake_transport final : public mail_transport {
 public:
  void begin(std::string_view mail) override {
    mail_ = mail;
    begun_ = open_ = true;
  }
  attempt drive(clock::time_point) override {
    if (!begun_) {
      open_ = open_ && !quitting_;
      return attempt::none;
    }
    fake_post& post = *fake_post::current();
    attempt verdict = attempt::sent;
    if (!post.verdicts.empty()) {
      verdict = post.verdicts.front();
      if (verdict == attempt::busy) return verdict; // stays so
      post.verdicts.pop_front();
    }
    ++post.attempts;
    begun_ = quitting_ = false;
    if (verdict == attempt::sent) post.mails.push_back(mail_);
    return verdict;
  }
  [[nodiscard]] const std::string& failure() const noexcept override { return failure_; }
  [[nodiscard]] const std::string& complaint() const noexcept override { return none_; }
  void quit() override { quitting_ = true; }
  [[nodiscard]] bool open() const noexcept override { return open_; }
  void close() noexcept override { open_ = begun_ = false; }
  void abandon() noexcept override { ++fake_post::current()->abandoned; }

 private:
  std::string mail_;
  std::string failure_ = "as the test wished";
  std::string none_;
  bool begun_ = false;
  bool open_ = false;
  bool quitting_ = false;
};

smtp_options sample_options() {
  return checked_options({.host = "127.0.0.1",
                          .sender = "shop@example.org",
                          .recipients = {"ops@example.org"},
                          .digest = 0s,
                          .mails_per_hour = 0,
                          .finish_limit = 20ms});
}

std::shared_ptr<mailer> make_mailer(const smtp_options& options) {
  auto made = std::make_shared<mailer>(
      options, [] { return std::make_unique<fake_transport>(); }, fake_post::clock());
  made->set_formatter(make_text_formatter("{message}", {.envelope = false}));
  return made;
}

/// Flushes until nothing changes; the number of errors that were thrown.
std::size_t settle(mailer& m) {
  std::size_t errors = 0;
  for (int i = 0; i < 50; ++i) {
    try {
      m.flush();
    } catch (const std::runtime_error& e) {
      CHECK_THAT(e.what(), contains("mail to 127.0.0.1:587: "));
      ++errors;
    }
  }
  return errors;
}

std::string body_of(const std::string& mail) { return mail.substr(mail.find("\r\n\r\n") + 4); }

std::string field_of(const std::string& mail, const std::string& name) {
  const std::size_t at = mail.find("\r\n" + name + ": ") + name.size() + 4;
  return mail.substr(at, mail.find("\r\n", at) - at);
}

/// The text of records `first` to `last`, as a mail's body has it.
std::string text_of(std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i)
    text += "record " + std::to_string(i) + std::string(i % 7, '.') + "\r\n";
  return text;
}

/// Lines that do not continue the one before.
std::size_t fields_of(const std::string& header) {
  std::size_t fields = 0;
  for (std::size_t at = 0; at < header.size(); at = header.find('\n', at) + 1) fields += header[at] != ' ';
  return fields;
}

bool closes(const smtp_counts& c, std::uint64_t waiting = 0) {
  return c.taken == c.sent + c.held_back + c.spool_full + c.refused + c.given_up + c.unfinished + waiting;
}

} // namespace

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
