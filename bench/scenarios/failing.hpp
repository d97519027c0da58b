// Requests that fail: `trip` (what the ERROR costs its thread, and when the text is in the file) and
// `error_rate` (requests a second as more of them fail).
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.hpp"
#include "latency.hpp"

namespace bench {

/// A file as another program sees it.
class watched_file {
 public:
  explicit watched_file(std::string path) : path_(std::move(path)) {}
  watched_file(const watched_file&) = delete;
  watched_file& operator=(const watched_file&) = delete;
  ~watched_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Whether `text` stands in the last 8 KiB, and the file has grown since the last call.
  [[nodiscard]] bool ends_with_line_of(const std::string& text) {
    if (descriptor_ < 0) descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &facts) != 0 || facts.st_size == size_) return false;
    size_ = facts.st_size;
    std::array<char, 8192> end{};
    const auto wanted = static_cast<off_t>(end.size());
    const ssize_t got = ::pread(descriptor_, end.data(), end.size(), size_ > wanted ? size_ - wanted : 0);
    return got > 0 &&
           std::string_view(end.data(), static_cast<std::size_t>(got)).find(text) != std::string::npos;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  off_t size_ = 0;
};

/// Spins until the text is in the file: a thread that slept meanwhile would find its caches cold, as no
/// thread of a busy server does. False when it takes seconds.
inline bool await_text(watched_file& file, int failure) {
  const std::string text = "request failed with " + std::to_string(failure);
  const std::uint64_t give_up = wall_ns() + 2'000'000'000;
  while (!file.ends_with_line_of(text))
    if (wall_ns() >= give_up) return false;
  return true;
}

inline void spin_until(std::uint64_t ns) {
  while (wall_ns() < ns) {
  }
}

template <class Variant> void measure_trip(const run& r) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  const auto calls = std::make_unique<latency_histogram>();
  const auto texts = std::make_unique<latency_histogram>();
  watched_file file(r.path());
  const auto fail = [&](int n) {
    const typename Variant::request request(log);
    for (int i = 0; i < records_per_request; ++i)
      log.a(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), static_cast<double>(i));
    const std::uint64_t begin = fenced_ticks();
    log.error(n);
    return std::pair(begin, fenced_ticks());
  };
  const int failures = r.scaled(2'000, 1'000);
  for (int n = 0; n < failures; ++n) {
    constexpr int successes = 8; // a failure comes among requests that succeed
    for (int i = 0; i < successes; ++i) request_a<Variant>(log, records_per_request);
    const auto [begin, end] = fail(n);
    if (n > 0) calls->record(latency_of(begin, end));
    if (!await_text(file, n)) break;
    spin_until(wall_ns() + 20'000); // so that each failure finds the back end idle
  }
  v->settle();
  emit_percentiles(r, "ERROR call", *calls);

  const int texts_wanted = r.scaled(300, 60);
  for (int n = failures; n < failures + texts_wanted; ++n) {
    // Failures come when they come: up to 1 ms after the text of the last, at no fixed place of a back end's
    // rest.
    spin_until(wall_ns() + static_cast<std::uint64_t>(n) * 382'000 % 1'000'000);
    const auto [begin, end] = fail(n);
    const bool seen = await_text(file, n);
    texts->record(latency_of(begin, fenced_ticks()));
    if (!seen) break; // one that takes seconds is told once
  }
  emit_percentiles(r, "text in the file", *texts);
  if (v->lost() != 0) r.emit("lost", "total", "contexts", static_cast<double>(v->lost()));
}

/// What a request of `error_rate` does besides logging.
inline constexpr std::uint64_t request_work_ns = 10'000;

/// Requests for a fraction of a second, `percent` of which fail, until the text of all is in the file.
template <class Variant> void measure_one_rate(const run& r, double percent) {
  pinned_variant<Variant> v(r.make_setup());
  const auto log = v->make_log();
  const auto enough = r.scaled<std::uint64_t>(100'000'000, 30'000'000);
  const double step = percent / 100;
  double owed = 0;
  int failed = 0;
  int requests = 0;
  request_a<Variant>(log, records_per_request);
  v->settle();
  const std::uint64_t begin = wall_ns();
  do {
    for (int n = 0; n < 64; ++n, ++requests) {
      const std::uint64_t worked = wall_ns() + request_work_ns;
      spin_until(worked);
      const typename Variant::request request(log);
      for (int i = 0; i < records_per_request; ++i)
        log.a(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(i), static_cast<double>(i));
      owed += step;
      if (owed < 1) continue;
      owed -= 1;
      log.error(++failed);
    }
  } while (wall_ns() - begin < enough);
  v->settle();
  const double seconds = static_cast<double>(wall_ns() - begin) * 1e-9;
  r.emit("throughput", "rate", "requests/s", requests / seconds, percent);
  r.emit("contexts lost", "share", "%", failed == 0 ? 0 : 100 * static_cast<double>(v->lost()) / failed,
         percent);
}

template <class Variant> void measure_error_rate(const run& r) {
  for (const double percent : {0.0, 0.1, 1.0, 10.0, 100.0}) {
    measure_one_rate<Variant>(r, percent);
    ::unlink(r.path().c_str());
  }
}

} // namespace bench
