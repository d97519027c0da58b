#include "flusher/error_log.hpp"

#include <string>
#include <vector>

#include <unistd.h>

#include "support/catch.hpp"

using namespace faultline;
using detail::error_log;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

/// What `use` writes to the descriptor of stderr.
template <class Use> std::string on_stderr(Use use) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  use();
  ::dup2(before, STDERR_FILENO); // closes the pipe's last end
  ::close(before);
  std::string text(4096, '\0');
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

} // namespace

TEST_CASE("failures of one kind are reported at most once a second, with their number") {
  std::vector<std::string> reports;
  error_log log([&](const error_report& r) {
    reports.push_back(std::string(r.kind) + " " + std::string(r.detail) + " " + std::to_string(r.count));
  });
  log.add(error_log::kind::handler, "a", second);
  log.add(error_log::kind::handler, "b", second + 1);
  log.add(error_log::kind::flusher, "c", second + 1);
  log.add(error_log::kind::handler, "d", 2 * second);
  CHECK(reports == std::vector<std::string>{"handler a 1", "flusher c 1", "handler d 2"});
}

TEST_CASE("without a callback a report is one line on stderr, hostile as its text may be") {
  error_log log({});
  CHECK(on_stderr([&] { log.add(error_log::kind::handler, "a\nb", second); }) ==
        "faultline: handler: a\\nb\n");
  CHECK(on_stderr([&] { log.add(error_log::kind::handler, "c", second + 1); }).empty());
  CHECK(on_stderr([&] { log.add(error_log::kind::handler, "d", 3 * second); }) ==
        "faultline: handler: d (2 failures)\n");
}
