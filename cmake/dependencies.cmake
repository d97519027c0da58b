# A dependency that the program's own build brings is taken as it is. Others are looked for on the machine first; a pinned release is
# fetched where they are not there.
include(FetchContent)

find_package(Threads REQUIRED)

if(NOT TARGET fmt::fmt)
  find_package(fmt 9 QUIET)
endif()
if(NOT TARGET fmt::fmt)
  FetchContent_Declare(fmt URL https://github.com/fmtlib/fmt/archive/refs/tags/9.1.0.tar.gz
    URL_HASH SHA256=5dea48d1fcddc3ec571ce2058e13910a0d4a6bab4cc09a809d8b1dd1c88ae6f2)
  set(FMT_INSTALL ${FAULTLINE_INSTALL})
  FetchContent_MakeAvailable(fmt)
  set_target_properties(fmt PROPERTIES POSITION_INDEPENDENT_CODE ON) # a shared faultline takes it in
endif()

if(TARGET concurrentqueue)
  set(concurrentqueue_FOUND TRUE)
  set(concurrentqueue_INCLUDE_DIRS $<TARGET_PROPERTY:concurrentqueue,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  find_package(concurrentqueue QUIET MODULE)
endif()
if(NOT concurrentqueue_FOUND)
  FetchContent_Declare(concurrentqueue
    URL https://github.com/cameron314/concurrentqueue/archive/refs/tags/v1.0.3.tar.gz
    URL_HASH SHA256=eb37336bf9ae59aca7b954db3350d9b30d1cab24b96c7676f36040aa76e915e8)
  FetchContent_MakeAvailable(concurrentqueue)
  set(concurrentqueue_INCLUDE_DIRS ${concurrentqueue_SOURCE_DIR})
endif()

# Optional: without it `rotating_file_options::compress` is refused.
set(FAULTLINE_ZSTD AUTO CACHE STRING "Compress rotated files with zstd: ON, OFF, or AUTO where it is found")
set_property(CACHE FAULTLINE_ZSTD PROPERTY STRINGS AUTO ON OFF)
set(FAULTLINE_WITH_ZSTD OFF)
if(FAULTLINE_ZSTD)
  find_path(zstd_INCLUDE_DIR zstd.h)
  find_library(zstd_LIBRARY zstd)
  mark_as_advanced(zstd_INCLUDE_DIR zstd_LIBRARY)
  if(zstd_INCLUDE_DIR AND zstd_LIBRARY)
    set(FAULTLINE_WITH_ZSTD ON)
  elseif(NOT FAULTLINE_ZSTD STREQUAL "AUTO")
    message(FATAL_ERROR "FAULTLINE_ZSTD is ON, and zstd.h or its library was not found (libzstd-dev)")
  endif()
endif()
