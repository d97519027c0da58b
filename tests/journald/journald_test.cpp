#include "journald/journald_handler.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/in_time.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using detail::journal_field_name;
using detail::journald_handler;
using test::contains;
using test::numbered_records;
using test::sample_record;
using test::temporary_directory;
using test::within;

namespace {

bool has_memory_files = true;

} // namespace

/// In place of the system's, so that there can be none at a test's wish.
extern "C" int memfd_create(const char* name, unsigned flags) noexcept {
  if (has_memory_files) return static_cast<int>(::syscall(SYS_memfd_create, name, flags));
  errno = EMFILE;
  return -1;
}

namespace {

/// What arrived as one datagram: its bytes, or the memory file that came with it.
struct arrival {
  std::string text;
  bool by_file = false;
  int seals = 0;
};

/// A journal that reads when it is told to.
class fake_journal {
 public:
  explicit fake_journal(const std::string& path) : path_(path) {
    ::sockaddr_un a{};
    a.sun_family = AF_UNIX;
    REQUIRE(path.copy(a.sun_path, sizeof a.sun_path - 1) == path.size());
    REQUIRE(::bind(descriptor_, reinterpret_cast<::sockaddr*>(&a), sizeof a) == 0);
  }
  ~fake_journal() {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }

  std::vector<arrival> read() {
    std::vector<arrival> result;
    for (;;) {
      std::string bytes(1U << 20, '\0');
      ::iovec part{bytes.data(), bytes.size()};
      alignas(::cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
      ::msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ::ssize_t count = ::recvmsg(descriptor_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (count < 0) return result;
      arrival a{bytes.substr(0, static_cast<std::size_t>(count))};
      if (const ::cmsghdr* rights = CMSG_FIRSTHDR(&message); rights != nullptr) {
        int file = -1;
        std::memcpy(&file, CMSG_DATA(rights), sizeof file);
        CHECK(a.text.empty());
        a.by_file = true;
        a.seals = ::fcntl(file, F_GET_SEALS);
        struct ::stat facts {};
        REQUIRE(::fstat(file, &facts) == 0);
        a.text.resize(static_cast<std::size_t>(facts.st_size));
        CHECK(::pread(file, a.text.data(), a.text.size(), 0) == facts.st_size);
        ::close(file);
      }
      result.push_back(std::move(a));
    }
  }

 private:
  const std::string path_;
  const int descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

journald_options at(const std::string& path) {
  journald_options options;
  options.socket_path = path;
  options.identifier = "shop";
  return options;
}

const std::string before_message =
    "PRIORITY=7\nSYSLOG_IDENTIFIER=shop\nTID=123\nCODE_FILE=/src/shop/order.cpp\n"
    "CODE_LINE=42\nCODE_FUNC=reserve\nFAULTLINE_LOGGER=shop.order\n"
    "FAULTLINE_TIME=1714566896000789\n";

std::string encode(const record_view& r, journald_options options = at("/x")) {
  return detail::journal_encoder(options).encode(r, r.message());
}

bool settle(handler& h) {
  return within(10s, [&] {
    try {
      h.flush();
    } catch (const std::system_error&) {
    }
    return !h.pending();
  });
}

} // namespace

TEST_CASE("an entry is a line for each field") {
  CHECK(encode(sample_record("no stock")) == before_message + "MESSAGE=no stock\n");
}

TEST_CASE("a value with a line end has its size before it, little endian") {
  using namespace std::string_literals;
  CHECK(encode(sample_record("two\nlines")) == before_message + "MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n"s);
  std::string out;
  detail::append_journal_field("A", std::string(0x1234, '\n'), out);
  CHECK(out.substr(0, 10) == "A\n\x34\x12\0\0\0\0\0\0"s);
}

TEST_CASE("levels become priorities") {
  const std::vector<unsigned> expected{7, 7, 6, 4, 3, 2};
  for (unsigned l = 0; l < expected.size(); ++l)
    CHECK(detail::journal_priority(static_cast<level>(l)) == expected[l]);
}

TEST_CASE("a scope's context becomes fields") {
  const std::vector<context_field> fields{{"user", "4711"}, {"empty", ""}};
  const scope_context scope{"order", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", fields};
  record_view r = sample_record("x");
  r.scope = &scope;
  r.dump_id = 17;
  r.exception_text = "std::runtime_error: y";
  CHECK(encode(r) == before_message +
                         "FAULTLINE_DUMP_ID=17\nFAULTLINE_EXCEPTION=std::runtime_error: y\n"
                         "FAULTLINE_SCOPE=order\nFAULTLINE_TRACE_ID=4bf92f3577b34da6a3ce929d0e0e4736\n"
                         "FAULTLINE_SPAN_ID=00f067aa0ba902b7\nUSER=4711\nEMPTY=\nMESSAGE=x\n");
}

TEST_CASE("any key becomes a valid field name that is none of faultline's own") {
  CHECK(journal_field_name("user") == "USER");
  CHECK(journal_field_name("user.id=7\n") == "USER_ID_7_");
  CHECK(journal_field_name("") == "FIELD_");
  CHECK(journal_field_name("_PID") == "FIELD__PID");
  CHECK(journal_field_name("9lives") == "FIELD_9LIVES");
  CHECK(journal_field_name("message") == "FIELD_MESSAGE");
  CHECK(journal_field_name("priority") == "FIELD_PRIORITY");
  CHECK(journal_field_name("faultline_dump_id") == "FIELD_FAULTLINE_DUMP_ID");
  CHECK(journal_field_name(std::string(100, 'k')) == std::string(64, 'K'));
  CHECK(journal_field_name('_' + std::string(100, 'k')).size() == 64);
}

TEST_CASE("an entry is cut to its bound, and says so") {
  const std::string text(10000, 'm');
  const std::string value(5000, 'v');
  const std::vector<context_field> fields{{"big", value}, {"small", "1"}};
  scope_context scope;
  scope.fields = fields;
  record_view r = sample_record(text);
  r.scope = &scope;
  journald_options options = at("/x");
  options.max_entry_bytes = 4096;
  const std::string entry = encode(r, options);
  CHECK(entry.size() <= 4096);
  CHECK(entry.size() > 3900);
  CHECK_THAT(entry, contains("\nSMALL=1\nFAULTLINE_OMITTED=1\nMESSAGE=mmm") && contains(" bytes cut)\n"));
  CHECK(entry.find("BIG") == std::string::npos);
}

TEST_CASE("a value of faultline's own that is cut says so") {
  const std::string text(300, 'e');
  record_view r = sample_record("x");
  r.exception_text = text;
  CHECK_THAT(encode(r), contains("\nFAULTLINE_EXCEPTION=" + std::string(253, 'e') + "...\n"));
  r.exception_text = std::string_view(text).substr(0, 256);
  CHECK_THAT(encode(r), contains("\nFAULTLINE_EXCEPTION=" + std::string(256, 'e') + "\n"));
  const std::string characters = std::string(251, 'e') + "\u20ac\u20ac";
  r.exception_text = characters;
  CHECK_THAT(encode(r), contains("\nFAULTLINE_EXCEPTION=" + std::string(251, 'e') + "...\n"));
  const std::string bytes(300, '\x80'); // no character begins
  r.exception_text = bytes;
  CHECK_THAT(encode(r), contains("\nFAULTLINE_EXCEPTION=" + std::string(253, '\x80') + "...\n"));
}

TEST_CASE("a small entry is a datagram and a large one a sealed memory file") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_handler h(at(dir.file("socket")));
  const std::string large(900'000, 'x');
  const record_view records[] = {sample_record("small"), sample_record(large)};
  h.write(batch(records));
  REQUIRE(settle(h));
  const std::vector<arrival> seen = journal.read();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].text == before_message + "MESSAGE=small\n");
  CHECK_FALSE(seen[0].by_file);
  CHECK(seen[1].by_file);
  CHECK(seen[1].seals == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  CHECK(seen[1].text == before_message + "MESSAGE=" + large + "\n");
}

TEST_CASE("a dump has an entry of its own before its records, unless it is unwanted") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  dump_envelope dump;
  dump.id = 17;
  dump.logger = "shop.order";
  dump.records = 2;
  const numbered_records records(2);
  for (const bool wanted : {true, false}) {
    journald_options options = at(dir.file("socket"));
    options.envelope = wanted;
    journald_handler h(options);
    h.write(records.all(&dump));
    REQUIRE(settle(h));
    const std::vector<arrival> seen = journal.read();
    REQUIRE(seen.size() == (wanted ? 3 : 2));
    if (wanted)
      CHECK_THAT(seen[0].text, contains("FAULTLINE_DUMP_ID=17\nFAULTLINE_TRIGGER=level\n") &&
                                   contains("FAULTLINE_RECORDS=2\n") &&
                                   contains("MESSAGE=dump 17: 2 records, 0 forgotten, trigger level\n"));
  }
}

TEST_CASE("while the journal's queue is full entries wait, and arrive in order") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_handler h(at(dir.file("socket")));
  const numbered_records records(1000);
  h.write(records.all());
  h.flush();
  CHECK(h.pending());
  std::string seen;
  CHECK(within(10s, [&] {
    h.flush();
    for (const arrival& a : journal.read()) seen += a.text.substr(a.text.find("MESSAGE=") + 8);
    return !h.pending();
  }));
  for (const arrival& a : journal.read()) seen += a.text.substr(a.text.find("MESSAGE=") + 8);
  CHECK(seen == records.text());
  CHECK(h.lost() == 0);
}

TEST_CASE("while the journal is away entries wait up to the bound, which is reported once") {
  const temporary_directory dir;
  journald_options options = at(dir.file("socket"));
  options.spool_bytes = 1000;
  journald_handler h(options);
  const numbered_records records(10);
  h.write(records.one(0));
  CHECK_THROWS_WITH(h.flush(), contains(dir.file("socket")));
  for (std::size_t i = 1; i < 10; ++i) h.write(records.one(i));
  h.flush();
  CHECK(h.pending());
  const std::uint64_t lost = h.lost();
  CHECK(lost > 0);
  fake_journal journal(dir.file("socket"));
  REQUIRE(settle(h));
  CHECK(journal.read().size() == 10 - lost);
  CHECK(h.lost() == lost);
}

TEST_CASE("a journal that is only slow is reported once it costs a batch") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_options options = at(dir.file("socket"));
  options.spool_bytes = 1000;
  journald_handler h(options);
  const numbered_records records(1000);
  h.write(records.all());
  CHECK_NOTHROW(h.flush());
  REQUIRE(h.pending());
  h.write(records.one(0));
  CHECK_THROWS_WITH(h.flush(), contains(dir.file("socket")));
  h.write(records.one(1));
  CHECK_NOTHROW(h.flush());
  CHECK(h.lost() == 2);
  CHECK(h.dropped() == 0);
}

TEST_CASE("a journal that was slow and goes away is reported again, since it fails now") {
  const temporary_directory dir;
  auto journal = std::make_unique<fake_journal>(dir.file("socket"));
  journald_options options = at(dir.file("socket"));
  options.spool_bytes = 1000;
  journald_handler h(options);
  const numbered_records records(1000);
  h.write(records.all());
  h.write(records.one(0));
  CHECK_THROWS_WITH(h.flush(), contains("unavailable"));
  journal.reset();
  CHECK_THROWS_AS(h.flush(), std::system_error);
  h.write(records.one(1));
  CHECK_NOTHROW(h.flush()); // said already
}

TEST_CASE("an entry that the system has no memory file for is given up after a while, and the others go on") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_handler h(at(dir.file("socket")));
  h.write(numbered_records(1).all()); // opens the socket
  REQUIRE(settle(h));
  has_memory_files = false;
  const std::string large(1U << 20, 'x'); // more than a datagram holds
  h.write(batch(std::vector{sample_record(large)}));
  h.write(batch(std::vector{sample_record("behind it")}));
  int reports = 0;
  const bool is_done = within(20s, [&] {
    try {
      h.flush();
    } catch (const std::system_error& e) {
      ++reports;
    }
    return !h.pending();
  });
  has_memory_files = true;
  CHECK(is_done);
  CHECK(reports == 1);
  CHECK(h.lost() == 1);
  CHECK(h.dropped() == 1);
  const std::vector<arrival> arrived = journal.read();
  REQUIRE(arrived.size() == 2);
  CHECK_THAT(arrived[1].text, contains("behind it"));
}

TEST_CASE("a large entry waits for a journal that is away, however often it is tried") {
  const temporary_directory dir;
  journald_handler h(at(dir.file("socket")));
  const std::string large(1U << 20, 'x'); // more than a datagram holds
  h.write(batch(std::vector{sample_record(large)}));
  int reports = 0;
  for (int i = 0; i < 2 * journald_handler::attempts_an_entry; ++i) {
    h.reopen(); // an attempt without the pause
    try {
      h.flush();
    } catch (const std::system_error& e) {
      CHECK((e.code() == std::errc::no_such_file_or_directory));
      ++reports;
    }
  }
  CHECK(reports == 1);
  CHECK(h.lost() == 0);
  fake_journal journal(dir.file("socket"));
  REQUIRE(settle(h));
  CHECK(journal.read().size() == 1);
}

TEST_CASE("an entry that the system has no memory file for is kept while the journal is away") {
  const temporary_directory dir;
  journald_handler h(at(dir.file("socket")));
  h.write(batch(std::vector{sample_record("opens the socket")}));
  {
    fake_journal journal(dir.file("socket"));
    REQUIRE(settle(h));
  }
  const std::string large(1U << 20, 'x');
  h.write(batch(std::vector{sample_record(large)}));
  has_memory_files = false;
  const auto long_enough = std::chrono::duration_cast<std::chrono::milliseconds>(
      (journald_handler::attempts_an_entry + 3) * journald_handler::retry_interval);
  const bool is_dropped = within(long_enough, [&] {
    try {
      h.flush();
    } catch (const std::system_error&) {
    }
    return !h.pending();
  });
  has_memory_files = true;
  CHECK_FALSE(is_dropped);
  CHECK(h.lost() == 0);
  fake_journal journal(dir.file("socket"));
  REQUIRE(settle(h));
  CHECK(journal.read().size() == 1);
}

TEST_CASE("the last flush counts what a journal that is away did not take, and leaves nothing") {
  const temporary_directory dir;
  journald_handler h(at(dir.file("socket")));
  dump_envelope dump;
  h.write(numbered_records(3).all(&dump));
  CHECK_THROWS_AS(h.last_flush(test::in_time()), std::system_error);
  CHECK(h.lost() == 3);
  CHECK_FALSE(h.pending());
  h.last_flush(test::in_time());
  CHECK(h.lost() == 3);
}

TEST_CASE("the last flush of a journal that reads no more ends, and counts") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_handler h(at(dir.file("socket")));
  h.write(numbered_records(2000).all());
  h.last_flush(test::in_time());
  CHECK_FALSE(h.pending());
  CHECK(h.lost() > 0);
  CHECK(journal.read().size() + h.lost() == 2000);
}

TEST_CASE("the last flush waits for a journal that is slow") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_handler h(at(dir.file("socket")));
  const numbered_records records(1);
  std::size_t written = 0;
  while (!h.pending()) { // until the queue is full
    h.write(records.all());
    h.flush();
    ++written;
  }
  std::size_t seen = 0;
  std::thread reader([&] { seen = journal.read().size(); });
  h.last_flush(test::in_time());
  reader.join();
  seen += journal.read().size();
  CHECK(h.lost() == 0);
  CHECK(seen == written);
}

TEST_CASE("a forked child leaves the parent's entries alone") {
  const temporary_directory dir;
  fake_journal journal(dir.file("socket"));
  journald_handler h(at(dir.file("socket")));
  const numbered_records records(2);
  h.write(records.one(0));
  const ::pid_t child = ::fork();
  if (child == 0) {
    h.after_fork();
    if (h.pending()) ::_exit(1);
    h.write(records.one(1));
    ::_exit(settle(h) ? 0 : 2);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  REQUIRE(settle(h));
  const std::vector<arrival> seen = journal.read();
  REQUIRE(seen.size() == 2);
  CHECK_THAT(seen[0].text, contains("MESSAGE=record 1.\n"));
  CHECK_THAT(seen[1].text, contains("MESSAGE=record 0\n"));
}

TEST_CASE("journald options that cannot be used are refused by name") {
  const auto refused = [](auto change, const std::string& name) {
    journald_options options = at("/x");
    change(options);
    CHECK_THROWS_WITH(make_journald_handler(options), contains(name));
  };
  refused([](journald_options& o) { o.socket_path = ""; }, "socket_path");
  refused([](journald_options& o) { o.socket_path = std::string(108, 'p'); }, "socket_path");
  refused([](journald_options& o) { o.identifier = "a\nb"; }, "identifier");
  refused([](journald_options& o) { o.max_entry_bytes = 4095; }, "max_entry_bytes");
  refused([](journald_options& o) { o.spool_bytes = 0; }, "spool_bytes");
}
