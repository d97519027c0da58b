// Child processes with a deadline.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace faultline::stress {

inline constexpr unsigned child_seconds = 60; ///< after so long SIGALRM ends a child that hangs

/// The child's exit status, 128 + signal if one ended it, as a shell says it.
inline int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) != child) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Runs `body` in a forked child that exits with its result, without destructors or exit handlers.
template <class Body> int in_child(Body&& body, pid_t (*fork_function)() = &::fork) {
  const pid_t child = fork_function();
  if (child != 0) return wait_for(child);
  ::alarm(child_seconds);
  int result = 99;
  try {
    result = body();
  } catch (...) { // 99 says so
  }
  ::_exit(result);
}

/// Runs a program to its end.
inline int run_program(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return wait_for(child);
  ::alarm(child_seconds);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

} // namespace faultline::stress
