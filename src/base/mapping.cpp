#include "base/mapping.hpp"

#include <new>

#include <sys/mman.h>

namespace faultline::detail {

mapping::mapping(std::size_t bytes) : bytes_((bytes + page_bytes - 1) / page_bytes * page_bytes) {
  void* at =
      mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  // Pages one by one, as they are used: a huge one would be 2 MiB for a thread's first record, zeroed under
  // it.
  (void)madvise(at, bytes_, MADV_NOHUGEPAGE);
  data_ = static_cast<std::byte*>(at);
}

mapping::~mapping() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

bool mapping::wipe_on_fork(std::size_t offset, std::size_t bytes) noexcept {
  return madvise(data_ + offset, bytes, MADV_WIPEONFORK) == 0;
}

} // namespace faultline::detail
