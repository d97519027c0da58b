#include "plugins/plugin.hpp"

#include <faultline/handlers.hpp>

namespace faultline::test {

// With a static in an inline function, which must not keep the plug-in from being unloaded.
inline void fail(logger lg) noexcept { FAULTLINE_ERROR(lg, PLUGIN_NAME " failed"); }

namespace {

const void* cursor_address() noexcept { return &detail::current_cursor; }

void hold(logger lg, int number, const char* text) noexcept {
  FAULTLINE_DEBUG(lg, PLUGIN_NAME " held {} of {}", number, text);
}

void add_field(error_scope& scope) noexcept { scope.field("plugin", PLUGIN_NAME); }

void trip(logger lg) {
  error_scope scope(lg, {.name = PLUGIN_NAME " scope"});
  FAULTLINE_DEBUG(lg, PLUGIN_NAME " inside");
  scope.trip(PLUGIN_NAME " asked");
}

void throw_error() { (void)parse_level(PLUGIN_NAME); }

bool is_memory_handler(const handler* h) { return dynamic_cast<const memory_handler*>(h) != nullptr; }

constexpr plugin_calls calls{cursor_address, hold, fail, add_field, trip, throw_error, is_memory_handler};

} // namespace
} // namespace faultline::test

extern "C" [[gnu::visibility("default")]] const faultline::test::plugin_calls* faultline_test_plugin() {
  return &faultline::test::calls;
}

#ifdef PLUGIN_PINNED
// The static is unique in the process where g++ compiles it, so that the plug-in stays when it is closed.
inline const void* pinned_static() {
  static int here = 0;
  return &here;
}
extern "C" [[gnu::visibility("default")]] const void* faultline_test_pinned() { return pinned_static(); }
#endif
