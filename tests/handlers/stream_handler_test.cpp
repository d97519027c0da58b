#include <cstdio>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "support/catch.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using test::contents;
using test::numbered_records;
using test::temporary_directory;

namespace {

struct closer {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file_ptr = std::unique_ptr<std::FILE, closer>;

handler_ptr make_plain(std::FILE* stream) {
  handler_ptr h = make_stream_handler(stream);
  h->set_formatter(make_text_formatter("{message}"));
  return h;
}

} // namespace

TEST_CASE("what was printed to the stream before comes first") {
  const temporary_directory dir;
  const numbered_records records(2);
  const file_ptr stream(std::fopen(dir.file("out").c_str(), "w"));
  REQUIRE(stream);
  std::fputs("printed before\n", stream.get());
  const handler_ptr h = make_plain(stream.get());
  h->write(records.all());
  h->flush();
  CHECK(contents(dir.file("out")) == "printed before\n" + records.text());
}

TEST_CASE("the stream stays open") {
  const temporary_directory dir;
  const file_ptr stream(std::fopen(dir.file("out").c_str(), "w"));
  REQUIRE(stream);
  {
    const handler_ptr h = make_plain(stream.get());
    h->write(numbered_records(1).all());
  }
  std::fputs("after\n", stream.get());
  std::fflush(stream.get());
  CHECK(contents(dir.file("out")) == "record 0\nafter\n");
}

TEST_CASE("a stream that cannot be written by descriptor is refused") {
  CHECK_THROWS_AS(make_stream_handler(nullptr), configuration_error);
  char memory[16];
  const file_ptr in_memory(::fmemopen(memory, sizeof memory, "w"));
  REQUIRE(in_memory);
  CHECK_THROWS_AS(make_stream_handler(in_memory.get()), configuration_error);
  const file_ptr reading(std::fopen("/dev/null", "r"));
  REQUIRE(reading);
  CHECK_THROWS_WITH(make_stream_handler(reading.get()), test::contains("reading only"));
}

TEST_CASE("a pipe whose reader is slow receives everything in order") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  const file_ptr stream(::fdopen(ends[1], "w"));
  REQUIRE(stream);
  const numbered_records records(20'000); // more than a pipe holds
  const handler_ptr h = make_plain(stream.get());
  h->write(records.all());
  std::string received;
  char buffer[5000];
  while (received.size() < records.text().size()) {
    REQUIRE_NOTHROW(h->flush());
    const ::ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    if (n > 0) received.append(buffer, static_cast<std::size_t>(n));
  }
  CHECK(received == records.text());
  CHECK_FALSE(h->pending());
  ::close(ends[0]);
}
