// Errors made on purpose, one for each sanitizer: a build in which they go unnoticed proves nothing.
#include <climits>
#include <cstdio>
#include <memory>
#include <string_view>
#include <thread>

namespace {

int shared_without_a_lock = 0;

/// Many times: ThreadSanitizer itself may miss one of two accesses at the same instant.
void race() {
  for (int round = 0; round < 100; ++round) {
    std::thread other([] { ++shared_without_a_lock; });
    ++shared_without_a_lock;
    other.join();
  }
}

int read_beyond_the_end(std::size_t length) {
  const auto bytes = std::make_unique<char[]>(length);
  return bytes.get()[length];
}

int overflow(int by) { return INT_MAX + by; }

} // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  int seen = 0;
  if (kind == "race")
    race();
  else if (kind == "heap-buffer-overflow")
    seen = read_beyond_the_end(static_cast<std::size_t>(argc) * 8);
  else if (kind == "signed-integer-overflow")
    seen = overflow(argc);
  else
    return 2;
  std::printf("%s went unnoticed (%d)\n", argv[1], seen + shared_without_a_lock);
}
