# What the core and the components have in common as libraries, static or shared.

# While the major version is 0, each minor version has an ABI of its own, as faultline-config-version.cmake says, too.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(faultline_soversion 0.${PROJECT_VERSION_MINOR})
else()
  set(faultline_soversion ${PROJECT_VERSION_MAJOR})
endif()

# faultline_includes(target): the public headers. Who builds faultline within a build of his own has them as system headers, as from
# an installed one: their warnings are not his. For ourselves they are.
if(PROJECT_IS_TOP_LEVEL)
  set(faultline_system)
else()
  set(faultline_system SYSTEM)
endif()
function(faultline_includes target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_include_directories(${target} ${faultline_system} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# faultline_library(target): version, and names hidden that include/faultline/export.hpp does not export.
function(faultline_library target)
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${faultline_soversion}
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY" AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    # The flusher's thread, handlers that runtimes keep, and what runs at exit stay when the last plug-in goes that brought them.
    # Its calls of its own functions stay within it, or inline ones would be those of a plug-in that came with it, and hold that.
    target_link_options(${target} PRIVATE -Wl,-z,nodelete -Wl,-Bsymbolic-functions)
    if(NOT FAULTLINE_SANITIZE) # sanitizers leave their own symbols to the executable
      target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
  endif()
  faultline_own_target(${target})
endfunction()

# faultline_other_kind(target name [PUBLIC library…] [PRIVATE library…]): beside a static library a shared one of the same objects,
# faultline::<name>_shared, or beside a shared one a static, faultline::<name>_static. For tests, which need the internal symbols
# that only static libraries have, and for packages with both.
function(faultline_other_kind target name)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE" ${ARGN})
  set(other ${target}-${faultline_other_kind})
  string(TOUPPER ${faultline_other_kind} type)
  add_library(${other} ${type} $<TARGET_OBJECTS:${target}>)
  add_library(faultline::${name}_${faultline_other_kind} ALIAS ${other})
  target_compile_features(${other} PUBLIC cxx_std_20)
  faultline_includes(${other})
  target_link_libraries(${other} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  set_target_properties(${other} PROPERTIES OUTPUT_NAME ${target} EXPORT_NAME ${name}_${faultline_other_kind}
    LINKER_LANGUAGE CXX)
  if(NOT FAULTLINE_BOTH_KINDS)
    set_target_properties(${other} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  faultline_library(${other})
endfunction()
