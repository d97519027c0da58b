// Functions of the C library with a counter before them: which of them the calling thread enters while it is
// watched.
#pragma once

#include <cstdint>

namespace faultline::proofs {

struct call_counts {
  std::uint64_t allocations = 0; ///< malloc and its kin, operator new and delete, free of anything but null
  std::uint64_t locks = 0;       ///< mutexes, read-write locks, condition variables
  std::uint64_t system_calls =
      0; ///< through the function syscall(); those of libc's own are seccomp's to find

  friend bool operator==(const call_counts&, const call_counts&) = default;
};

/// What the calling thread called while it was watched.
call_counts& counts_of_this_thread() noexcept;

/// Watches the calling thread for as long as it lives.
class watched {
 public:
  watched() noexcept;
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;
  ~watched();
};

/// While it lives, every allocation of the calling thread fails.
class without_memory {
 public:
  without_memory() noexcept;
  without_memory(const without_memory&) = delete;
  without_memory& operator=(const without_memory&) = delete;
  ~without_memory();
};

} // namespace faultline::proofs
