#include <fmt/format.h>

#include <faultline/faultline.hpp>
#include <faultline/syslog.hpp>

struct point {
  int x;
};
template <> struct fmt::formatter<point> : fmt::formatter<int> {
  auto format(const point& p, fmt::format_context& context) const {
    return fmt::formatter<int>::format(p.x, context);
  }
};

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
  FAULTLINE_DEBUG(lg, "formatted at the call: {at}", faultline::kv<"at">(point{3}));
  FAULTLINE_ERROR(lg, "written {}", 2);
  return faultline::flush() ? 0 : 1;
}
