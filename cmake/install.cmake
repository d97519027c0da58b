# What is installed where, in these parts (`cmake --install … --component PART`): faultline_runtime, the shared libraries;
# faultline_<name>, the shared library of a component that needs more than the core; faultline_development, all the rest.
include(CMakePackageConfigHelpers)

set(faultline_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/faultline)

# faultline_install(target export part): the library, its other kind where both are built, and their CMake targets.
function(faultline_install target export part)
  set(targets ${target})
  if(FAULTLINE_BOTH_KINDS)
    list(APPEND targets ${target}-${faultline_other_kind})
  endif()
  install(TARGETS ${targets} EXPORT ${export}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${part} NAMELINK_COMPONENT faultline_development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT faultline_development)
  install(EXPORT ${export} NAMESPACE faultline:: DESTINATION ${faultline_config_dir} COMPONENT faultline_development)
endfunction()

# faultline_pkg_config(name description [REQUIRES module…] [LIBRARIES flag…] [STATIC_REQUIRES module…] [STATIC_LIBRARIES flag…]):
# the file <name>.pc. What only a static library needs is private where the library is shared.
function(faultline_pkg_config pc_name pc_description)
  cmake_parse_arguments(arg "" "" "REQUIRES;LIBRARIES;STATIC_REQUIRES;STATIC_LIBRARIES" ${ARGN})
  set(libraries -l${pc_name} ${arg_LIBRARIES})
  if(faultline_type STREQUAL "STATIC_LIBRARY")
    list(APPEND arg_REQUIRES ${arg_STATIC_REQUIRES})
    list(APPEND libraries ${arg_STATIC_LIBRARIES})
    set(arg_STATIC_REQUIRES)
    set(arg_STATIC_LIBRARIES)
  endif()
  list(JOIN libraries " " pc_libraries)
  list(JOIN arg_REQUIRES ", " pc_requires)
  list(JOIN arg_STATIC_LIBRARIES " " pc_static_libraries)
  list(JOIN arg_STATIC_REQUIRES ", " pc_static_requires)
  # The file finds the prefix from its own place, so that an installation may be moved, unless the libraries' folder is a fixed one.
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
  else()
    file(RELATIVE_PATH pc_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
    string(PREPEND pc_prefix "\${pcfiledir}/")
  endif()
  foreach(folder includedir libdir)
    string(TOUPPER "CMAKE_INSTALL_${folder}" pc_${folder})
    set(pc_${folder} "${${pc_${folder}}}")
    if(NOT IS_ABSOLUTE "${pc_${folder}}")
      string(PREPEND pc_${folder} "\${prefix}/")
    endif()
  endforeach()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/faultline.pc.in ${PROJECT_BINARY_DIR}/${pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT faultline_development)
endfunction()

faultline_install(faultline faultline-targets faultline_runtime)
install(DIRECTORY include/faultline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT faultline_development)
configure_package_config_file(cmake/faultline-config.cmake.in ${PROJECT_BINARY_DIR}/faultline-config.cmake
  INSTALL_DESTINATION ${faultline_config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/faultline-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/faultline-config.cmake ${PROJECT_BINARY_DIR}/faultline-config-version.cmake
  DESTINATION ${faultline_config_dir} COMPONENT faultline_development)
if(FAULTLINE_WITH_ZSTD)
  set(zstd_for_static STATIC_LIBRARIES -lzstd)
endif()
faultline_pkg_config(faultline "${PROJECT_DESCRIPTION}" REQUIRES fmt LIBRARIES -pthread ${zstd_for_static})

install(FILES docs/man/faultline.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT faultline_development)
install(FILES docs/man/faultline_patterns.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7 COMPONENT faultline_development)
