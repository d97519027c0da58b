#include <faultline/faultline.hpp>

int main() {
  const auto lg = faultline::get_logger("consumer");
  const faultline::error_scope scope(lg, {.name = "installed"});
  FAULTLINE_DEBUG(lg, "held {}", [&] {
    FAULTLINE_DEBUG(lg, "a statement within another");
    return 1;
  }());
  FAULTLINE_ERROR(lg, "written {}", 2);
  return faultline::flush() ? 0 : 1;
}
