// What the libraries export. They are compiled with hidden visibility: a name without FAULTLINE_API is the
// library's own.
#pragma once

/// Stands before public classes and functions, and before the few internal ones that macros and templates of
/// the headers call. It is the same for those who build the library and those who use it, and for static and
/// shared libraries: a program that links the static library and exports its symbols (-rdynamic) lends them
/// to its plug-ins.
#define FAULTLINE_API [[gnu::visibility("default")]]
