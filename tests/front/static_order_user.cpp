// A static object that logs by a namespace-scope logger of another file before that is made, as the order in
// which the files are linked has it.
#include <cstdio>

#include <faultline/faultline.hpp>

extern const faultline::logger logger_of_other_file;

namespace {

struct plugin {
  bool early = logger_of_other_file.name().empty();
  plugin() {
    FAULTLINE_SCOPE(logger_of_other_file);
    FAULTLINE_ERROR(logger_of_other_file, "registered too early");
  }
} registered;

} // namespace

int main() {
  if (!registered.early) {
    std::puts("the order is not the one that this is about");
    return 2;
  }
  FAULTLINE_SCOPE(logger_of_other_file);
  FAULTLINE_ERROR(logger_of_other_file, "in time");
  return faultline::flush() ? 0 : 1;
}
