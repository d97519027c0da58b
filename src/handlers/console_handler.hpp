// What a console handler finds out about its console.
#pragma once

#include <faultline/handlers.hpp>

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

} // namespace faultline::detail
