// A plug-in that a test loads, and unloads when it likes.
#pragma once

#include <stdexcept>
#include <string>

#include <dlfcn.h>

#include "plugins/plugin.hpp"

namespace faultline::test {

class loaded_plugin {
 public:
  explicit loaded_plugin(std::string path)
      : path_(std::move(path)), library_(::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    const auto entry = reinterpret_cast<plugin_entry>(::dlsym(library_, "faultline_test_plugin"));
    if (entry == nullptr) throw std::runtime_error(::dlerror());
    calls_ = entry();
  }
  loaded_plugin(const loaded_plugin&) = delete;
  loaded_plugin& operator=(const loaded_plugin&) = delete;
  ~loaded_plugin() { unload(); }

  const plugin_calls* operator->() const noexcept { return calls_; }

  void unload() {
    if (library_ != nullptr) (void)::dlclose(library_);
    library_ = nullptr;
  }
  /// Whether the process has it still, by whomever.
  [[nodiscard]] bool is_mapped() const {
    void* const again = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (again != nullptr) (void)::dlclose(again);
    return again != nullptr;
  }

 private:
  std::string path_;
  void* library_;
  const plugin_calls* calls_ = nullptr;
};

} // namespace faultline::test
