# What faultline's own targets are built with; nothing of it reaches those who link the library.
function(faultline_own_target target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${FAULTLINE_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 sees overlapping copies in its own std::string (GCC bug 105329) and, with sanitizers, uninitialised members in its
    # own std::regex.
    target_compile_options(${target} PRIVATE -Wno-restrict)
    if(FAULTLINE_SANITIZE)
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
    if(FAULTLINE_SANITIZE MATCHES "thread")
      # g++ says that ThreadSanitizer does not model the queue's fences: see tests/support/tsan.supp.
      target_compile_options(${target} PRIVATE -Wno-tsan)
    endif()
  endif()
  if(FAULTLINE_SANITIZE)
    # Public: a program that links an instrumented library must be instrumented too.
    target_compile_options(${target} PUBLIC -fsanitize=${FAULTLINE_SANITIZE} -fno-omit-frame-pointer -g)
    target_link_options(${target} PUBLIC -fsanitize=${FAULTLINE_SANITIZE})
    if(FAULTLINE_SANITIZE MATCHES "undefined")
      target_compile_options(${target} PUBLIC -fno-sanitize-recover=undefined)
    endif()
  endif()
  if(FAULTLINE_BUILD_FUZZERS)
    # Made for many inputs. AddressSanitizer sees what object-size would, and that keeps clang 14 from inlining; a call for each
    # comparison costs more than it finds, beside a dictionary.
    target_compile_options(${target} PUBLIC -fsanitize=fuzzer-no-link -fno-sanitize=object-size
      -fno-sanitize-coverage=trace-cmp -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/fuzz/not_instrumented.txt
      -fsanitize-coverage-ignorelist=${PROJECT_SOURCE_DIR}/tests/fuzz/not_instrumented.txt)
  endif()
  if(FAULTLINE_COVERAGE)
    target_compile_options(${target} PUBLIC --coverage -fprofile-update=atomic)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()
