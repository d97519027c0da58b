// Lines in the colour of their level.
#pragma once

#include <faultline/formatter.hpp>

namespace faultline::detail {

/// A formatter that writes what `inner` writes, each line between an SGR sequence (ECMA-48) and its reset,
/// and the lines of an envelope in a colour of their own. Precondition: `inner` writes a line for each record
/// and perhaps one before and one after those of a dump, as the text formatter does; text of another shape
/// stays without colours. What a record says cannot add sequences of its own: `inner` escapes it.
[[nodiscard]] formatter_ptr make_colored_formatter(formatter_ptr inner);

} // namespace faultline::detail
