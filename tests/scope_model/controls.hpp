// What a run must notice: something wrong on purpose.
#pragma once

#include <cstdint>

namespace faultline::scope_model {

/// Whether each mistake in the reference is noticed within so many programs and shrunk to a few steps, and
/// each kind of damage to what handlers received in small buffers is noticed wherever it is done. Prints what
/// it finds.
[[nodiscard]] bool controls_are_noticed(std::uint64_t count);

} // namespace faultline::scope_model
