// One target as a libFuzzer program. With FAULTLINE_FUZZ_CONTROL set it is the negative control, which must
// end with a finding.
#include <cstdio>
#include <cstdlib>

#include "fuzz/check.hpp"
#include "fuzz/targets.hpp"

// NOLINTBEGIN(readability-identifier-naming): libFuzzer calls them
extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
  faultline::fuzz::expects_wrong = std::getenv("FAULTLINE_FUZZ_CONTROL") != nullptr;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    return faultline::fuzz::FAULTLINE_FUZZ_TARGET(data, size);
  } catch (const faultline::fuzz::finding& found) {
    std::fprintf(stderr, "finding: %s\n", found.text.c_str());
    std::abort();
  }
}
// NOLINTEND(readability-identifier-naming)
