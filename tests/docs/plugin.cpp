// A module with hidden symbols that logs: built twice, under two names.
#include <faultline/log.hpp>

extern "C" [[gnu::visibility("default")]] void plugin_work(int number) {
  static const auto lg = faultline::get_logger("plugin." FAULTLINE_TEST_PLUGIN);
  FAULTLINE_DEBUG(lg, FAULTLINE_TEST_PLUGIN " works at {}", number);
}
