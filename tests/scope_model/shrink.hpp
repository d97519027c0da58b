// Makes a failing program small.
#pragma once

#include <functional>

#include "scope_model/program.hpp"

namespace faultline::scope_model {

/// A program of which `fails` holds as well, and of which no step can be left out or made simpler without
/// losing that. `fails(p)` holds.
[[nodiscard]] program shrink(program p, const std::function<bool(const program&)>& fails);

} // namespace faultline::scope_model
