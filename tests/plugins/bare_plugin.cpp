// A plug-in that brings faultline with it.
#include <faultline/log.hpp>
#include <faultline/runtime.hpp>

extern "C" [[gnu::visibility("default")]] void faultline_test_log() {
  (void)faultline::flush(); // so that a buffer is free; what is logged now is written at exit at the latest
  const auto lg = faultline::get_logger("bare");
  FAULTLINE_SCOPE(lg, .name = "plugged");
  FAULTLINE_DEBUG(lg, "held by the plug-in");
  FAULTLINE_ERROR(lg, "failed in the plug-in");
}
