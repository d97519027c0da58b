#include "watched_calls.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <new>

#include <dlfcn.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

namespace faultline::proofs {
namespace {

// Trivial and initial-exec, so that reaching them calls nothing.
thread_local constinit bool is_watched [[gnu::tls_model("initial-exec")]] = false;
thread_local constinit bool memory_fails [[gnu::tls_model("initial-exec")]] = false;
thread_local constinit call_counts counts [[gnu::tls_model("initial-exec")]];

bool allocate() noexcept {
  if (is_watched) ++counts.allocations;
  if (memory_fails) errno = ENOMEM;
  return !memory_fails;
}
void lock() noexcept {
  if (is_watched) ++counts.locks;
}

/// The function of that name in the next library. Looked up each time: no lock guards a memory of it.
template <class F> F next(const char* name) noexcept { return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name)); }

} // namespace

call_counts& counts_of_this_thread() noexcept { return counts; }
watched::watched() noexcept { is_watched = true; }
watched::~watched() { is_watched = false; }
without_memory::without_memory() noexcept { memory_fails = true; }
without_memory::~without_memory() { memory_fails = false; }

} // namespace faultline::proofs

using faultline::proofs::allocate;
using faultline::proofs::lock;
using faultline::proofs::next;

// The program's definitions come before the C library's, also for the libraries it is linked with.
extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) noexcept { return allocate() ? __libc_malloc(bytes) : nullptr; }
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  return allocate() ? __libc_calloc(n, bytes) : nullptr;
}
void* realloc(void* at, std::size_t bytes) noexcept {
  return allocate() ? __libc_realloc(at, bytes) : nullptr;
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return allocate() ? __libc_memalign(alignment, bytes) : nullptr;
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept { return memalign(alignment, bytes); }
int posix_memalign(void** at, std::size_t alignment, std::size_t bytes) noexcept {
  *at = memalign(alignment, bytes);
  return *at != nullptr ? 0 : ENOMEM;
}
void free(void* at) noexcept {
  if (at != nullptr && faultline::proofs::is_watched) ++faultline::proofs::counts.allocations;
  __libc_free(at);
}

// The two that are cancellation points are declared without noexcept.
#define FAULTLINE_WATCH_LOCK(name, parameters, arguments)                                                    \
  FAULTLINE_WATCH(name, parameters noexcept, parameters, arguments)
#define FAULTLINE_WATCH(name, declaration, parameters, arguments)                                            \
  int name declaration {                                                                                     \
    lock();                                                                                                  \
    return next<int(*) parameters>(#name) arguments;                                                         \
  }
FAULTLINE_WATCH_LOCK(pthread_mutex_lock, (pthread_mutex_t * m), (m))
FAULTLINE_WATCH_LOCK(pthread_mutex_trylock, (pthread_mutex_t * m), (m))
FAULTLINE_WATCH_LOCK(pthread_mutex_unlock, (pthread_mutex_t * m), (m))
FAULTLINE_WATCH_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
FAULTLINE_WATCH_LOCK(pthread_rwlock_tryrdlock, (pthread_rwlock_t * l), (l))
FAULTLINE_WATCH_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
FAULTLINE_WATCH_LOCK(pthread_rwlock_trywrlock, (pthread_rwlock_t * l), (l))
FAULTLINE_WATCH_LOCK(pthread_spin_lock, (pthread_spinlock_t * l), (l))
#define FAULTLINE_WAIT (pthread_cond_t * c, pthread_mutex_t * m)
#define FAULTLINE_TIMED_WAIT (pthread_cond_t * c, pthread_mutex_t * m, const timespec* until)
FAULTLINE_WATCH(pthread_cond_wait, FAULTLINE_WAIT, FAULTLINE_WAIT, (c, m))
FAULTLINE_WATCH(pthread_cond_timedwait, FAULTLINE_TIMED_WAIT, FAULTLINE_TIMED_WAIT, (c, m, until))
FAULTLINE_WATCH_LOCK(pthread_cond_signal, (pthread_cond_t * c), (c))
FAULTLINE_WATCH_LOCK(pthread_cond_broadcast, (pthread_cond_t * c), (c))

long syscall(long number, ...) noexcept {
  if (faultline::proofs::is_watched) ++faultline::proofs::counts.system_calls;
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& value : a) value = va_arg(list, long);
  va_end(list);
  return next<long (*)(long, ...)>("syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

} // extern "C"

void* operator new(std::size_t bytes) {
  if (void* at = malloc(bytes)) return at;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  if (void* at = memalign(static_cast<std::size_t>(alignment), bytes)) return at;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return operator new(bytes, alignment); }
void operator delete(void* at) noexcept { free(at); }
void operator delete[](void* at) noexcept { free(at); }
void operator delete(void* at, std::size_t) noexcept { free(at); }
void operator delete[](void* at, std::size_t) noexcept { free(at); }
void operator delete(void* at, std::align_val_t) noexcept { free(at); }
void operator delete[](void* at, std::align_val_t) noexcept { free(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { free(at); }
void operator delete[](void* at, std::size_t, std::align_val_t) noexcept { free(at); }
