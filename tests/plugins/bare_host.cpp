// An executable without faultline of its own: it comes with the plug-in, on a thread that ran before, and
// stays when the plug-in goes. Writes one dump to standard error at exit.
#include <cstdio>
#include <thread>

#include <dlfcn.h>

namespace {

bool load_log_unload(const char* path, const char* library) {
  void* const plugin = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return false;
  }
  const auto log = reinterpret_cast<void (*)()>(::dlsym(plugin, "faultline_test_log"));
  if (log == nullptr) return false;
  std::thread(log).join();
  log();
  (void)::dlclose(plugin);
  const bool plugin_went = ::dlopen(path, RTLD_NOW | RTLD_NOLOAD) == nullptr;
  const bool library_stays = ::dlopen(library, RTLD_NOW | RTLD_NOLOAD) != nullptr;
  if (!plugin_went) std::fputs("the plug-in is there still\n", stderr);
  if (!library_stays) std::fputs("the library went with its flusher's thread running\n", stderr);
  return plugin_went && library_stays;
}

} // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("bare_host PLUGIN LIBRARY\n", stderr);
    return 2;
  }
  return load_log_unload(words[1], words[2]) && load_log_unload(words[1], words[2]) ? 0 : 1;
}
