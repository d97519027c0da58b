// What the libraries export. They are compiled with hidden visibility: a name without FAULTLINE_API is the
// library's own.
#pragma once

/// Stands before public classes and functions, and before the few internal ones that macros and templates of
/// the headers call. It is the same for those who build the library and those who use it, and for static and
/// shared libraries: a program that links the static library and exports its symbols (-rdynamic) lends them
/// to its plug-ins.
#define FAULTLINE_API [[gnu::visibility("default")]]

/// Stands before what each library that logs has of its own, however it is compiled. g++ marks constants of
/// templates and statics of inline functions as unique in the process otherwise, and a library that has one
/// is never unloaded.
#define FAULTLINE_LOCAL [[gnu::visibility("hidden")]]

/// Stands behind a parameter to which a function's result refers.
#ifdef __clang__
#define FAULTLINE_LIFETIME_BOUND [[clang::lifetimebound]]
#else
#define FAULTLINE_LIFETIME_BOUND
#endif
