#include <faultline/faultline.hpp>
#include <faultline/syslog.hpp>

int main() {
  try {
    (void)faultline::make_syslog_handler(
        {.max_message_bytes = 1}); // a class of errors that is caught across libraries
    return 1;
  } catch (const faultline::configuration_error&) {
  }
  const auto lg = faultline::get_logger("consumer");
  const faultline::error_scope scope(lg, {.name = "packaged"});
  FAULTLINE_DEBUG(lg, "held {}", 1);
  FAULTLINE_ERROR(lg, "written {}", 2);
  return faultline::flush() ? 0 : 1;
}
