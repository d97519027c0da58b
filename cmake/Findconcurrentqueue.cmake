# Finds moodycamel's header-only queue, which Debian ships without a CMake package.
#
# Sets concurrentqueue_FOUND and concurrentqueue_INCLUDE_DIRS: the folder from which one of the spellings that
# src/handover/hand_over_queue.cpp tries resolves.
find_path(concurrentqueue_INCLUDE_DIR
  NAMES concurrentqueue/concurrentqueue.h concurrentqueue/moodycamel/concurrentqueue.h moodycamel/concurrentqueue.h
        concurrentqueue.h)
mark_as_advanced(concurrentqueue_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(concurrentqueue REQUIRED_VARS concurrentqueue_INCLUDE_DIR)
set(concurrentqueue_INCLUDE_DIRS ${concurrentqueue_INCLUDE_DIR})
