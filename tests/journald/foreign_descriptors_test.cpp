// What other code closed and opened anew under the socket's number is not the handler's.
#include "support/foreign_descriptor.hpp"

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <sys/un.h>

#include "journald/journald_handler.hpp"
#include "support/in_time.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using detail::journald_handler;
using test::always_ours;
using test::contains;
using test::foreign;
using test::foreign_descriptor;
using test::numbered_records;
using test::temporary_directory;
using test::within;

namespace {

/// A journal, and a handler that has sent it its first record.
struct conversation {
  conversation() {
    ::sockaddr_un a{};
    a.sun_family = AF_UNIX;
    REQUIRE(dir.file("socket").copy(a.sun_path, sizeof a.sun_path - 1) == dir.file("socket").size());
    REQUIRE(::bind(journal, reinterpret_cast<::sockaddr*>(&a), sizeof a) == 0);
    journald_options options;
    options.socket_path = dir.file("socket");
    h = std::make_unique<journald_handler>(options);
    const std::set<int> before = test::open_descriptors();
    h->write(records.one(0));
    h->flush();
    REQUIRE_FALSE(h->pending());
    for (const int d : test::open_descriptors())
      if (before.count(d) == 0) number = d;
    REQUIRE(number >= 0);
    CHECK_THAT(read(), contains("record 0"));
  }
  ~conversation() { ::close(journal); }

  /// One datagram, or an empty text.
  std::string read() {
    std::string bytes(65536, '\0');
    const ::ssize_t count = ::recv(journal, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  [[nodiscard]] bool settle() {
    return within(10s, [&] {
      try {
        h->flush();
      } catch (const std::system_error& e) {
        reports.emplace_back(e.what());
      }
      return !h->pending();
    });
  }

  temporary_directory dir;
  const int journal = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const numbered_records records{3};
  std::unique_ptr<journald_handler> h;
  std::optional<foreign_descriptor> other;
  std::vector<std::string> reports;
  int number = -1;
};

} // namespace

TEST_CASE("a journal socket's number that other code uses is left alone, and a new socket goes on") {
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  const bool large = GENERATE(false, true); // travels in a memory file
  CAPTURE(kind, large);
  conversation c;
  c.other.emplace(c.number, kind);
  const std::string text(large ? 1'000'000 : 10, 'x');
  const record_view record = test::sample_record(text);
  c.h->write(batch({&record, 1}));
  REQUIRE(c.settle());
  CHECK(c.other->is_untouched() != always_ours);
  if (always_ours) return;
  if (large) {
    CHECK(c.read().empty()); // its bytes are in the file
  } else {
    CHECK_THAT(c.read(), contains(text));
  }
  REQUIRE(c.reports.size() == 1);
  CHECK_THAT(c.reports[0], contains("other code has closed its socket"));
  c.h->write(c.records.one(2));
  REQUIRE(c.settle());
  CHECK_THAT(c.read(), contains("record 2"));
  CHECK(c.reports.size() == 1);
  CHECK(c.h->lost() == 0);
  CHECK(c.other->is_untouched());
}

TEST_CASE("the number of other code is not closed by reopening, by the end, or by the last flush") {
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  const std::string end =
      GENERATE("reopen", "destructor", "last flush with a record", "destructor with a record");
  CAPTURE(kind, end);
  conversation c;
  c.other.emplace(c.number, kind);
  if (end.ends_with("record")) c.h->write(c.records.one(1));
  if (end == "reopen") c.h->reopen();
  if (end.starts_with("last flush")) CHECK_THROWS(c.h->last_flush(std::chrono::steady_clock::now() + 5s));
  c.h.reset();
  CHECK(c.other->is_untouched() != always_ours);
  if (end.ends_with("record") && !always_ours) CHECK_THAT(c.read(), contains("record 1"));
}

TEST_CASE("a forked child that has closed the journal's socket leaves alone what it opened since") {
  const foreign kind = GENERATE(foreign::file, foreign::socket);
  const bool logs = GENERATE(true, false); // or only destroys its copy
  CAPTURE(kind, logs);
  conversation c;
  CHECK(test::in_child([&] {
    c.other.emplace(c.number, kind);
    if (logs) {
      c.h->after_fork();
      c.h->write(c.records.one(1));
      if (!c.settle() || !c.reports.empty()) return false;
    }
    c.h.reset();
    return c.other->is_untouched() != always_ours;
  }));
  if (logs) CHECK_THAT(c.read(), contains("record 1"));
  c.h->write(c.records.one(2)); // the parent's socket is as before
  REQUIRE(c.settle());
  CHECK_THAT(c.read(), contains("record 2"));
  CHECK(c.reports.empty());
}

TEST_CASE("the journal's socket has no number of a standard stream, though these are closed") {
  conversation c;
  CHECK(test::in_child([&] {
    for (const int stream : {0, 1, 2}) ::close(stream);
    c.h->after_fork();
    c.h->write(c.records.one(1));
    if (!c.settle()) return false;
    int open = 0;
    for (const int stream : {0, 1, 2}) open += ::fcntl(stream, F_GETFD) >= 0 ? 1 : 0;
    return open == (always_ours ? 1 : 0);
  }));
  CHECK_THAT(c.read(), contains("record 1"));
}

TEST_CASE("a relative path to the journal is that of the working directory when the handler is made") {
  conversation c;
  const temporary_directory elsewhere;
  CHECK(test::in_child([&] {
    if (::chdir(c.dir.file("").c_str()) != 0) return false;
    journald_options options;
    options.socket_path = "socket";
    journald_handler h(options);
    if (::chdir(elsewhere.file("").c_str()) != 0) return false;
    h.write(c.records.one(1));
    h.flush();
    return !h.pending();
  }));
  CHECK_THAT(c.read(), contains("record 1"));
}
