// Floating-point numbers as text.
#pragma once

namespace faultline::detail {

/// Writes `value` as fmt's "{}" does, 24 characters at most, and returns where it ends. Values with four
/// decimals or fewer, which most logged ones are, take a few divisions; the others go the way of all (fmt's
/// Dragonbox).
char* write_double(char* at, double value);

} // namespace faultline::detail
