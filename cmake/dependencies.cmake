# Each dependency is looked for on the machine first; a pinned release is fetched where it is not there.
include(FetchContent)

find_package(Threads REQUIRED)

find_package(fmt 9 QUIET)
if(NOT fmt_FOUND)
  FetchContent_Declare(fmt URL https://github.com/fmtlib/fmt/archive/refs/tags/9.1.0.tar.gz
    URL_HASH SHA256=5dea48d1fcddc3ec571ce2058e13910a0d4a6bab4cc09a809d8b1dd1c88ae6f2)
  set(FMT_INSTALL ON)
  FetchContent_MakeAvailable(fmt)
endif()

find_package(concurrentqueue QUIET MODULE)
if(NOT concurrentqueue_FOUND)
  FetchContent_Declare(concurrentqueue
    URL https://github.com/cameron314/concurrentqueue/archive/refs/tags/v1.0.3.tar.gz)
  FetchContent_MakeAvailable(concurrentqueue)
  set(concurrentqueue_INCLUDE_DIRS ${concurrentqueue_SOURCE_DIR})
endif()
