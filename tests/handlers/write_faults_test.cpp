// What reaches a file when its writes are interrupted, cut short or refused, at every place where that can
// happen.
#include <memory>
#include <system_error>

#include "handlers/file_handler.hpp"
#include "support/catch.hpp"
#include "support/fake_disk.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::fake_disk;
using test::numbered_records;

namespace {

std::shared_ptr<detail::file_handler> make_handler(std::size_t spool_bytes = 1U << 20) {
  auto h = std::make_shared<detail::file_handler>("/log", file_options{.spool_bytes = spool_bytes},
                                                  fake_disk::calls());
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

/// Flushes as the flusher does; returns how many times it would report an error.
std::size_t flush(handler& h) {
  try {
    h.flush();
    return 0;
  } catch (const std::system_error& e) {
    CHECK_THAT(e.what(), test::contains("/log"));
    return 1;
  }
}

/// No torn line, no duplicate, order kept: what is written at any moment is the beginning of what should be.
bool is_beginning(std::string_view written, std::string_view expected) {
  return expected.starts_with(written);
}

/// Writes ten rounds of four records each, in writes of at most 25 bytes, and checks after each round.
void write_rounds(fake_disk& disk, handler& h, const numbered_records& records, std::size_t& reports) {
  for (std::size_t i = 0; i < records.size(); i += 4) {
    for (std::size_t j = i; j < i + 4; ++j) h.write(records.one(j));
    reports += flush(h);
    CHECK(is_beginning(disk.text(), records.text()));
    disk.now += 30ms;
  }
}

} // namespace

TEST_CASE("the check for what is written rejects a torn, repeated, missing or moved line") {
  const numbered_records records(3);
  CHECK(is_beginning("record 0\nrecord 1.", records.text()));
  CHECK_FALSE(is_beginning("record 0\nrecord\nrecord 1.\n", records.text()));
  CHECK_FALSE(is_beginning("record 0\nrecord 0\n", records.text()));
  CHECK_FALSE(is_beginning("record 0\nrecord 2..\n", records.text()));
  CHECK_FALSE(is_beginning("record 1.\nrecord 0\n", records.text()));
}

TEST_CASE("whichever write fails, and however, no line is torn, repeated or lost") {
  const numbered_records records(40);
  std::size_t failures = 0;
  for (const int error : {0, EINTR, ENOSPC, EDQUOT, EIO, EAGAIN, EPIPE})
    for (std::size_t times : {1U, 2U, 5U})
      for (std::size_t n = 1;; ++n) {
        fake_disk disk;
        bool failed = false;
        disk.on_write = [&](std::size_t nth) -> fake_disk::verdict {
          if (nth < n || nth >= n + times) return {.most = 25};
          failed = true;
          return error == 0 ? fake_disk::verdict{.most = 1} : fake_disk::verdict{.error = error};
        };
        const auto h = make_handler();
        std::size_t reports = 0;
        write_rounds(disk, *h, records, reports);
        for (int round = 0; round < 10 && h->pending(); ++round) {
          disk.now += 100ms;
          reports += flush(*h);
        }
        CHECK(disk.text() == records.text());
        CHECK_FALSE(h->pending());
        CHECK(h->lost() == 0);
        const bool is_reported = failed && error != 0 && error != EINTR && error != EAGAIN;
        CHECK(reports == (is_reported ? 1U : 0U));
        failures += failed ? 1 : 0;
        if (!failed) break; // there are fewer than n writes
      }
  CHECK(failures > 200);
}

TEST_CASE("a disk that fills at any byte keeps what fits and takes the rest when there is space") {
  const numbered_records records(12);
  for (std::size_t capacity = 0; capacity < records.text().size(); ++capacity) {
    fake_disk disk;
    disk.capacity = capacity;
    const auto h = make_handler();
    std::size_t reports = 0;
    write_rounds(disk, *h, records, reports);
    CHECK(disk.text() == records.text().substr(0, capacity));
    CHECK(reports == 1);
    CHECK(h->pending());
    disk.capacity = static_cast<std::size_t>(-1);
    disk.now += 100ms;
    CHECK(flush(*h) == 0);
    CHECK(disk.text() == records.text());
    CHECK(h->lost() == 0);
  }
}

TEST_CASE("a failing disk is tried every 100 ms and found well within a second") {
  const numbered_records records(1);
  fake_disk disk;
  disk.capacity = 0;
  const auto h = make_handler();
  h->write(records.all());
  CHECK(flush(*h) == 1);
  const std::size_t before = disk.writes;
  for (int i = 0; i < 1000; ++i) { // a second of rounds
    disk.now += 1ms;
    CHECK(flush(*h) == 0);
  }
  CHECK(disk.writes - before == 10);
  disk.capacity = 1000;
  disk.now += 100ms;
  CHECK(flush(*h) == 0);
  CHECK(disk.text() == records.text());
}

TEST_CASE("an error is reported when a failing state begins, and again when the next one does") {
  const numbered_records records(2);
  fake_disk disk;
  const auto h = make_handler();
  for (std::size_t i = 0; i < 2; ++i) {
    disk.capacity = disk.text().size();
    h->write(records.one(i));
    CHECK(flush(*h) == 1);
    disk.now += 1s;
    CHECK(flush(*h) == 0);
    disk.capacity = 1000;
    disk.now += 1s;
    CHECK(flush(*h) == 0);
    CHECK_FALSE(h->pending());
  }
}

TEST_CASE("an error met by write is kept for flush to report") {
  const numbered_records records(40'000); // more than write keeps for flush
  fake_disk disk;
  disk.capacity = 0;
  const auto h = make_handler();
  CHECK_NOTHROW(h->write(records.all()));
  CHECK(disk.writes == 1);
  CHECK(flush(*h) == 1);
  CHECK(disk.writes == 1); // and the retry waits
}

TEST_CASE("much text is written before the round ends") {
  const numbered_records records(40'000);
  fake_disk disk;
  const auto h = make_handler();
  h->write(records.all());
  CHECK(disk.text() == records.text());
  CHECK_FALSE(h->pending());
}

TEST_CASE("a full spool refuses new batches whole, counts their records, and takes them again later") {
  const numbered_records records(30);
  fake_disk disk;
  disk.capacity = 0;
  const std::size_t line = records.text().size() / 30;
  const auto h = make_handler(10 * line);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const auto lost = h->lost();
    h->write(records.one(i));
    CHECK((h->lost() == lost || h->lost() == lost + 1));
    accepted += h->lost() == lost ? 1 : 0;
  }
  CHECK(accepted >= 9);
  CHECK(accepted < 20);
  const auto lost = h->lost();
  CHECK(lost == 20 - accepted);
  dump_envelope d;
  h->write(batch(records.all().records().subspan(0, 5), &d)); // a dump is refused whole or not at all
  CHECK(h->lost() == lost + 5);

  disk.capacity = static_cast<std::size_t>(-1);
  disk.now += 1s;
  flush(*h);
  h->write(records.one(29));
  flush(*h);
  CHECK(std::count(disk.text().begin(), disk.text().end(), '\n') ==
        static_cast<std::ptrdiff_t>(accepted + 1));
  CHECK(is_beginning(disk.text().substr(0, 9 * line / 2), records.text()));
  CHECK(disk.text().ends_with("\nrecord 29.\n"));
  CHECK(h->lost() == lost + 5);
}

TEST_CASE("a spool smaller than a round of a healthy disk loses nothing") {
  const numbered_records records(100);
  for (const std::size_t spool_bytes : {1U, 12U, 20U, 50U}) {
    fake_disk disk;
    const auto h = make_handler(spool_bytes);
    for (std::size_t i = 0; i < records.size(); ++i) h->write(records.one(i));
    flush(*h);
    CHECK(disk.text() == records.text());
    CHECK(h->lost() == 0);
  }
}

TEST_CASE("a full pipe is no error until the spool is full too") {
  const numbered_records records(30);
  fake_disk disk;
  disk.on_write = [](std::size_t) { return fake_disk::verdict{.error = EAGAIN}; };
  const auto h = make_handler(100);
  std::size_t reports = 0;
  while (h->lost() == 0) {
    h->write(records.one(0));
    reports += flush(*h);
    disk.now += 1ms;
  }
  CHECK(reports == 1);
  CHECK(flush(*h) == 0);
}

TEST_CASE("a formatter that throws leaves nothing behind") {
  class throwing final : public formatter {
    void format(const batch&, std::string& out) const override {
      out += "half a li";
      throw std::runtime_error("no");
    }
  };
  const numbered_records records(2);
  fake_disk disk;
  const auto h = make_handler();
  h->write(records.one(0));
  h->set_formatter(std::make_shared<throwing>());
  CHECK_THROWS_AS(h->write(records.one(1)), std::runtime_error);
  h->set_formatter(make_text_formatter("{message}"));
  h->write(records.one(1));
  flush(*h);
  CHECK(disk.text() == records.text());
}

TEST_CASE("a handler that is destroyed writes what it holds and counts what it cannot") {
  class observed final : public detail::text_handler {
   public:
    observed() : text_handler("/log", 1000, fake_disk::calls()) {
      set_descriptor({fake_disk::first_descriptor, detail::descriptor_identity(fake_disk::regular_file())});
    }
    using detail::text_handler::finish;
  };
  const numbered_records records(4);
  for (std::size_t capacity = 0; capacity <= records.text().size(); ++capacity) {
    fake_disk disk;
    disk.capacity = capacity;
    observed h;
    h.set_formatter(make_text_formatter("{message}"));
    for (std::size_t i = 0; i < 4; ++i) h.write(records.one(i));
    h.finish();
    const std::string& text = disk.text();
    CHECK(text == records.text().substr(0, capacity));
    CHECK(h.lost() == 4 - static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')));
  }
}

TEST_CASE("after a fork the child writes nothing of the parent's, and counts nothing of it as lost") {
  const numbered_records records(3);
  fake_disk disk;
  disk.capacity = 12; // the second line is begun
  const auto h = make_handler();
  h->write(records.one(0));
  h->write(records.one(1));
  CHECK(flush(*h) == 1);
  disk.capacity = 1000;
  h->after_fork();
  CHECK_FALSE(h->pending());
  h->write(records.one(2));
  CHECK(flush(*h) == 0);
  CHECK(disk.text() == records.text().substr(0, 12) + "record 2..\n");
  CHECK(h->lost() == 0);
}

TEST_CASE("an endless series of interruptions is a failure, not a hang") {
  const numbered_records records(1);
  fake_disk disk;
  disk.on_write = [](std::size_t) { return fake_disk::verdict{.error = EINTR}; };
  const auto h = make_handler();
  h->write(records.all());
  CHECK(flush(*h) == 1);
  disk.on_write = nullptr;
  disk.now += 1s;
  CHECK(flush(*h) == 0);
  CHECK(disk.text() == records.text());
}

TEST_CASE("reopening moves what is not begun to the new file and completes the rest in the old one") {
  const numbered_records records(6);
  const int old_file = fake_disk::first_descriptor;
  const int new_file = old_file + 1;
  for (std::size_t capacity = 0; capacity <= 40; ++capacity) {
    fake_disk disk;
    disk.capacity = capacity;
    const auto h = make_handler();
    for (std::size_t i = 0; i < 4; i += 2) h->write(batch(records.all().records().subspan(i, 2)));
    flush(*h);
    h->reopen();
    h->write(records.one(4));
    disk.capacity = 1000;
    flush(*h);
    h->write(records.one(5));
    flush(*h);
    CHECK(disk.text(old_file) + disk.text(new_file) == records.text());
    const std::string first_two = "record 0\nrecord 1.\n"; // one entry, so it is not cut either
    const std::string all_four = first_two + "record 2..\nrecord 3...\n";
    CHECK(disk.text(old_file) == (capacity == 0 ? "" : capacity <= first_two.size() ? first_two : all_four));
    CHECK(disk.closes == 1);
  }
}

TEST_CASE("a file that fails for good does not keep its successor waiting") {
  const numbered_records records(6);
  fake_disk disk;
  disk.capacity = 12; // "record 0\nrec"
  const auto h = make_handler();
  h->write(batch(records.all().records().subspan(0, 4)));
  flush(*h);
  disk.capacity = 1000;
  disk.on_write = [](std::size_t) { return fake_disk::verdict{.error = EIO}; };
  disk.now += 1s;
  flush(*h);
  disk.on_write = nullptr;
  h->reopen();
  h->write(records.one(4));
  flush(*h);
  CHECK(disk.text(fake_disk::first_descriptor + 1) == "record 4....\n");
  CHECK(h->lost() == 3);
}

TEST_CASE("a reopening that fails keeps the old file") {
  const numbered_records records(2);
  fake_disk disk;
  const auto h = make_handler();
  h->write(records.one(0));
  flush(*h);
  disk.open_error = EACCES;
  CHECK_THROWS_AS(h->reopen(), std::system_error);
  h->write(records.one(1));
  flush(*h);
  CHECK(disk.text() == records.text());
  CHECK(disk.closes == 0);
}
