#include <faultline/runtime.hpp>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>

#include <faultline/configuration_error.hpp>

#include "record/thread_names.hpp"
#include "runtime/runtime_core.hpp"

namespace faultline {
namespace {

detail::runtime_core& full(detail::core* c) noexcept { return static_cast<detail::runtime_core&>(*c); }

/// Chains std::terminate for the runtimes that asked for it: the first call stops the latest of them, then
/// does what it did.
std::atomic<detail::core*> asking{nullptr}; // release and acquire: the handler sees the runtime that asked

void drain_on_terminate(detail::core* c) {
  static std::terminate_handler before = nullptr;
  asking.store(c, std::memory_order_release);
  static const bool chained = [] {
    before = std::set_terminate([] {
      if (detail::core* last = asking.exchange(nullptr, std::memory_order_acquire))
        full(last).stop(std::chrono::seconds(2));
      if (before != nullptr) before();
      std::abort();
    });
    return true;
  }();
  (void)chained;
}

detail::core* make_core(runtime_options options) {
  const bool drain = options.drain_on_terminate;
  auto* made = new detail::runtime_core(std::move(options)); // deleted by its last reference
  if (drain) drain_on_terminate(made);
  return made;
}

/// Made by the first to ask, with the default options unless `start` came first; never destroyed:
/// destructors that run after main may log. Release and acquire: publishes the object. No lock, which a
/// forked child could find taken.
std::atomic<runtime*> default_object{nullptr};

} // namespace

runtime::runtime(runtime_options options) : core_(make_core(std::move(options))) {}

runtime::~runtime() {
  detail::core* self = core_;
  asking.compare_exchange_strong(self, nullptr, std::memory_order_acq_rel);
  full(core_).abandon();
}

logger runtime::get_logger(std::string_view dotted_name) { return logger(core_->loggers.get(dotted_name)); }
bool runtime::flush(std::chrono::nanoseconds deadline) { return full(core_).flush(deadline); }
bool runtime::stop(std::chrono::nanoseconds deadline) { return full(core_).stop(deadline); }
runtime_stats runtime::stats() const { return full(core_).stats(); }
void runtime::attach_thread(std::string_view name) {
  detail::thread_slot* const slot = detail::obtain_slot(*core_, {.call = "attach_thread"});
  if (slot != nullptr && !name.empty()) slot->thread.name = detail::thread_names::instance().enter(name);
}
bool runtime::run_once() { return full(core_).run_once(); }
void runtime::reopen() { full(core_).reopen(); }

runtime& default_runtime() {
  runtime* known = default_object.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  auto made = std::make_unique<runtime>(); // one of two that are made at once goes again
  if (!default_object.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *known;
  std::atexit([] { full(default_object.load(std::memory_order_acquire)->core_).stop_at_exit(); });
  return *made.release();
}

runtime& start(runtime_options options) {
  runtime& r = default_runtime();
  const bool drain = options.drain_on_terminate;
  full(r.core_).configure(std::move(options));
  if (drain) drain_on_terminate(r.core_);
  return r;
}

logger get_logger(std::string_view dotted_name) { return default_runtime().get_logger(dotted_name); }
bool flush(std::chrono::nanoseconds deadline) { return default_runtime().flush(deadline); }
bool stop(std::chrono::nanoseconds deadline) { return default_runtime().stop(deadline); }
runtime_stats stats() { return default_runtime().stats(); }

} // namespace faultline
