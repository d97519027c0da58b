// Who a thread is, as its records say.
#pragma once

#include <cstdint>

namespace faultline::detail {

struct thread_identity {
  std::uint32_t id = 0;   ///< the kernel's (gettid)
  std::uint32_t name = 0; ///< see thread_names; 0: none
};

} // namespace faultline::detail
