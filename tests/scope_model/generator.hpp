// Random programs of scopes.
#pragma once

#include <cstdint>

#include "scope_model/program.hpp"

namespace faultline::scope_model {

/// The program of that seed: the same on every machine. One in four has small buffers; one in 64 changes
/// handlers while it runs, which takes the library a millisecond each time.
[[nodiscard]] program generate(std::uint64_t seed);

} // namespace faultline::scope_model
