// What tests of `start` have in common: a child process with a default runtime of its own, and what it says
// about itself.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>
#include <faultline/faultline.hpp>

#include "stress/child.hpp"
#include "support/temporary_directory.hpp"

namespace faultline::test {

/// In a child: what does not hold, for standard error in the end; the child fails.
inline std::string wrong;
inline void expect(bool holds, std::string_view what) {
  if (!holds) wrong.append("does not hold: ").append(what).append("\n");
}
#define EXPECT(...) expect((__VA_ARGS__), #__VA_ARGS__)

template <class Body> int alone(Body body) {
  return stress::in_child([&] {
    body();
    std::fputs(wrong.c_str(), stderr);
    return wrong.empty() ? 0 : 1;
  });
}

inline std::string refusal(runtime_options options) {
  try {
    start(std::move(options));
  } catch (const configuration_error& e) {
    return e.what();
  }
  return "accepted";
}

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Lines of the file that standard error is from now on.
class stderr_in_file {
 public:
  stderr_in_file() : before_(::dup(STDERR_FILENO)) {
    const int file = ::open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  stderr_in_file(const stderr_in_file&) = delete;
  stderr_in_file& operator=(const stderr_in_file&) = delete;
  ~stderr_in_file() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  [[nodiscard]] std::string text() const { return contents(path()); }

 private:
  [[nodiscard]] std::string path() const { return directory_.file("stderr"); }
  temporary_directory directory_;
  int before_;
};

} // namespace faultline::test
