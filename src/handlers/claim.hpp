// Who calls a handler: one flusher, or one background handler's thread.
#pragma once

#include <faultline/handler.hpp>

namespace faultline::detail {

/// Notes `caller` for `h` and for the handlers that it passes records to on the same thread. Several handlers
/// of one caller may share an inner one. Throws `configuration_error`, with nothing noted, when another
/// caller has one of them. Any thread.
void claim(handler& h, const void* caller);

/// Forgets `caller` for all of them.
void give_back(handler& h, const void* caller) noexcept;

/// `caller` goes, and a thread of its that hangs may call them still: nobody else ever may.
void leave_to_its_thread(handler& h, const void* caller) noexcept;

} // namespace faultline::detail
