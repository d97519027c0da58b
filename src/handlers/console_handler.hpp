// What a console handler finds out about its console.
#pragma once

#include <faultline/handlers.hpp>

#include "base/system_calls.hpp"

namespace faultline::detail {

/// What decides about colours; the strings are values of environment variables, null where one is not set.
struct console_facts {
  bool is_terminal = false;
  const char* no_color = nullptr;       ///< NO_COLOR
  const char* force_color = nullptr;    ///< FORCE_COLOR
  const char* clicolor_force = nullptr; ///< CLICOLOR_FORCE
  const char* clicolor = nullptr;       ///< CLICOLOR
  const char* term = nullptr;           ///< TERM
};

/// The rules are documented at `color_mode`.
[[nodiscard]] bool wants_color(color_mode mode, const console_facts& facts) noexcept;

/// The kernel's calls with a write that does not wait for a terminal that was stopped or whose reader hangs,
/// or for a pipe's slow reader: it answers EAGAIN where nothing can be taken. Without /proc, and for a
/// terminal that the process may not open, it asks first and takes little at a time.
[[nodiscard]] const system_calls& console_calls() noexcept;

} // namespace faultline::detail
