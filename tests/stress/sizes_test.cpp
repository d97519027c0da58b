// Arguments of any size: from nothing to 1 GiB.
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>

#include <faultline/faultline.hpp>

#include "ledgers.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

namespace faultline::stress {
namespace {

using test::manual_runtime;

constexpr std::size_t most = std::size_t{1} << 30;
constexpr std::size_t bound = 1024; // runtime_options::argument_bytes

/// 1 GiB of 'x' that takes one page: the same one all over, and a zero behind it.
class long_text {
 public:
  long_text() {
    const int file = ::memfd_create("text", MFD_CLOEXEC);
    REQUIRE(file >= 0);
    const std::string page(piece, 'x');
    REQUIRE(::write(file, page.data(), page.size()) == static_cast<ssize_t>(piece));
    memory_ =
        static_cast<char*>(::mmap(nullptr, most + piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(memory_ != MAP_FAILED);
    REQUIRE(::mprotect(memory_ + most, piece, PROT_READ) == 0); // zeros
    for (std::size_t at = 0; at < most; at += piece)
      REQUIRE(::mmap(memory_ + at, piece, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) == memory_ + at);
    ::close(file);
  }
  long_text(const long_text&) = delete;
  long_text& operator=(const long_text&) = delete;
  ~long_text() { ::munmap(memory_, most + piece); }

  [[nodiscard]] std::string_view first(std::size_t size) const { return {memory_, size}; }
  /// A string that ends after that many characters.
  [[nodiscard]] const char* last(std::size_t size) const { return memory_ + (most - size); }

 private:
  static constexpr std::size_t piece = std::size_t{1} << 21;
  char* memory_;
};

std::string kept(std::size_t size) {
  return size <= bound ? std::string(size, 'x') : std::string(bound, 'x') + "[...]";
}

/// What the text must be; false where it is not.
bool is_cut_right(const std::string& message, std::size_t size) {
  return message == "<" + kept(size) + "|" + kept(size) + "> " + std::to_string(size);
}

std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all{0, 1, bound - 1, bound, bound + 1, 65'535, 65'536, most - 1, most};
  for (std::size_t size = 2; size < most; size *= 2) all.push_back(size + 1);
  return all;
}

} // namespace

TEST_CASE("a string of any size up to 1 GiB is held, cut to its bound and marked") {
  const long_text text;
  manual_runtime rt({.storm_dumps_per_second = 0});
  const logger lg = rt.get("sizes");
  std::uint64_t statements = 0;
  for (const std::size_t size : sizes()) {
    const std::size_t before = rt.messages().size();
    {
      const error_scope scope(lg);
      FAULTLINE_DEBUG(lg, "<{}|{}> {}", text.first(size), text.last(size), size);
      FAULTLINE_ERROR(lg, "<{}|{}> {}", text.first(size), text.last(size), size);
      statements += 2;
    }
    const auto messages = rt.messages();
    REQUIRE(messages.size() == before + 2);
    CHECK(is_cut_right(messages[before], size));
    CHECK(is_cut_right(messages[before + 1], size));
    CHECK(rt.dumps().back().truncated == (size > bound ? 2U : 0U));
  }
  check_ledgers(rt.stats(), statements);
}

TEST_CASE("bytes of any size up to 1 GiB are dumped, cut and marked") {
  const long_text text;
  manual_runtime rt;
  logger lg = rt.get("sizes");
  lg.add_handler(rt.target);
  for (const std::size_t size : sizes()) {
    FAULTLINE_INFO(lg, "{}", hex(text.first(size)));
    rt.write_all();
  }
  const auto messages = rt.messages();
  REQUIRE(messages.size() == sizes().size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CHECK(messages[i].size() <= 8 * bound);
    CHECK(messages[i].ends_with("[...]") == (sizes()[i] > bound));
  }
}

TEST_CASE("the check of cut text would notice a character too many and a missing mark") {
  CHECK(is_cut_right("<" + kept(5000) + "|" + kept(5000) + "> 5000", 5000));
  CHECK(!is_cut_right("<x" + kept(5000) + "|" + kept(5000) + "> 5000", 5000));
  CHECK(!is_cut_right("<" + std::string(bound, 'x') + "|" + kept(5000) + "> 5000", 5000));
}

} // namespace faultline::stress
