// A disk that fails on request, behind the table of system calls.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "base/system_calls.hpp"

namespace faultline::test {

/// One at a time may exist. Each open of it makes a new "file" with a descriptor of its own.
class fake_disk {
 public:
  fake_disk() { current() = this; }
  fake_disk(const fake_disk&) = delete;
  fake_disk& operator=(const fake_disk&) = delete;
  ~fake_disk() { current() = nullptr; }

  /// What a write is to do: take at most `most` bytes, or fail with `error` (EINTR, ENOSPC ...).
  struct verdict {
    std::size_t most = static_cast<std::size_t>(-1);
    int error = 0;
  };
  std::function<verdict(std::size_t nth)>
      on_write; ///< asked for each write, counted from 1; empty: all is taken
  std::size_t capacity =
      static_cast<std::size_t>(-1); ///< bytes in all files; a write beyond is cut, then ENOSPC
  int open_error = 0;
  struct ::stat facts = regular_file();
  std::chrono::nanoseconds now = std::chrono::hours(1);

  std::size_t writes = 0;
  std::size_t closes = 0;
  std::map<int, std::string> files; ///< what each descriptor received
  static constexpr int first_descriptor = 1'000'000;

  [[nodiscard]] const std::string& text(int descriptor = first_descriptor) { return files[descriptor]; }

  /// A table whose calls go to the disk that exists.
  static const detail::system_calls& calls() {
    static constexpr detail::system_calls table = {
        .open = [](const char*, int, ::mode_t) { return current()->open(); },
        .write = [](int d, const void* bytes, std::size_t n) { return current()->write(d, bytes, n); },
        .fstat =
            [](int, struct ::stat* result) {
              *result = current()->facts;
              return 0;
            },
        .ftruncate =
            [](int d, ::off_t) {
              current()->files[d].clear();
              return 0;
            },
        .close =
            [](int) {
              ++current()->closes;
              return 0;
            },
        .read = [](int, void*, std::size_t) -> ::ssize_t { return fail(EIO); },
        .fsync = [](int) { return 0; },
        .lstat = [](const char*, struct ::stat*) { return fail(ENOENT); },
        .rename = [](const char*, const char*) { return fail(ENOENT); },
        .unlink = [](const char*) { return fail(ENOENT); },
        .flock = [](int, int) { return 0; },
        .monotonic_now = [] { return current()->now; },
        .wall_now = [] { return std::chrono::system_clock::time_point(current()->now); },
    };
    return table;
  }

  static struct ::stat regular_file() {
    struct ::stat facts {};
    facts.st_mode = S_IFREG | 0600;
    facts.st_nlink = 1;
    facts.st_uid = ::geteuid();
    return facts;
  }

 private:
  static fake_disk*& current() {
    static fake_disk* disk = nullptr;
    return disk;
  }

  int open() {
    if (open_error != 0) return fail(open_error);
    const int descriptor = first_descriptor + static_cast<int>(files.size());
    files[descriptor];
    return descriptor;
  }

  ::ssize_t write(int descriptor, const void* bytes, std::size_t count) {
    const verdict v = on_write ? on_write(++writes) : (++writes, verdict{});
    if (v.error != 0) return fail(v.error);
    std::size_t used = 0;
    for (const auto& [d, text] : files) used += text.size();
    const std::size_t taken = std::min({count, v.most, capacity - std::min(capacity, used)});
    if (taken == 0) return fail(ENOSPC);
    files[descriptor].append(static_cast<const char*>(bytes), taken);
    return static_cast<::ssize_t>(taken);
  }

  static int fail(int error) {
    errno = error;
    return -1;
  }
};

} // namespace faultline::test
