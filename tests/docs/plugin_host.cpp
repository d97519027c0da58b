// plugin_host PLUGIN PLUGIN: a program whose modules have hidden symbols and are loaded at run time. All log
// to one runtime, and what a module logged is written after it was unloaded.
#include <dlfcn.h>

#include <cstdio>
#include <string>
#include <vector>

#include <faultline/faultline.hpp>

namespace {

bool work(const char* path, int number) {
  void* const module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return false;
  }
  // A function's address as POSIX gives it.
  const auto function = reinterpret_cast<void (*)(int)>(dlsym(module, "plugin_work"));
  if (function != nullptr) function(number);
  return function != nullptr && dlclose(module) == 0 && dlopen(path, RTLD_NOW | RTLD_NOLOAD) == nullptr;
}

} // namespace

int main(int, char** argv) {
  const auto seen = faultline::make_memory_handler();
  faultline::start({.default_target = seen});
  const auto lg = faultline::get_logger("plugin");
  {
    const faultline::error_scope scope(lg, {.name = "host"});
    FAULTLINE_DEBUG(lg, "loading");
    if (!work(argv[1], 1) || !work(argv[2], 2)) return 2;
    FAULTLINE_ERROR(lg, "failed");
  }
  if (!faultline::flush()) return 3;
  const std::vector<std::string> expected = {"loading", "first works at 1", "second works at 2", "failed"};
  if (seen->messages() == expected && seen->dumps().size() == 1 &&
      seen->records()[2].logger == "plugin.second")
    return 0;
  std::fprintf(stderr, "%s", seen->text().c_str());
  return 1;
}
