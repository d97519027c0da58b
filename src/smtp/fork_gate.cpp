#include "smtp/fork_gate.hpp"

#include <new>

#include <pthread.h>

namespace faultline::detail {
namespace {

/// Never destroyed: a thread may fork until the very end of the process.
std::shared_mutex& gate() {
  static auto* const the_gate = new std::shared_mutex;
  return *the_gate;
}

void watch_forks() {
  // A write lock belongs to a thread by its id, which the child's one thread does not share: it makes the
  // lock anew.
  static const int error = ::pthread_atfork([] { gate().lock(); }, [] { gate().unlock(); },
                                            [] { new (&gate()) std::shared_mutex; });
  if (error != 0) throw std::bad_alloc();
}

} // namespace

fork_gate::fork_gate() {
  watch_forks();
  lock_ = std::shared_lock(gate());
}

} // namespace faultline::detail
