# Debian packages, by `cpack -G DEB` in a build with both kinds of libraries: see scripts/package.
set(CPACK_PACKAGE_NAME faultline)
set(CPACK_PACKAGE_VENDOR "faultline")
set(CPACK_PACKAGE_CONTACT "faultline maintainers <maintainers@faultline.example>" CACHE STRING "Who answers for the packages")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_documents.cmake)
set(CPACK_COMPONENTS_ALL)

# faultline_package(part package section text): what the package of that part is called and says of itself.
macro(faultline_package part package section text)
  list(APPEND CPACK_COMPONENTS_ALL ${part})
  string(TOUPPER ${part} capitals)
  set(CPACK_DEBIAN_${capitals}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${capitals}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${capitals}_DESCRIPTION "${package_about}\n.\n${text}")
endmacro()

# faultline_library_package(part text library…): a package with shared libraries, what depends on it when linking them (shlibs),
# and that the linker's cache is made anew (triggers).
macro(faultline_library_package part text)
  string(REPLACE faultline_runtime libfaultline package ${part})
  string(REPLACE faultline_ libfaultline- package ${package})
  string(APPEND package ${faultline_soversion})
  faultline_package(${part} ${package} libs "${text}")
  set(shlibs)
  foreach(library ${ARGN})
    string(APPEND shlibs "lib${library} ${faultline_soversion} ${package} (= ${package_version})\n")
  endforeach()
  set(control ${PROJECT_BINARY_DIR}/debian/${part})
  file(WRITE ${control}/shlibs "${shlibs}")
  file(WRITE ${control}/triggers "activate-noawait ldconfig\n")
  set(CPACK_DEBIAN_${capitals}_PACKAGE_CONTROL_EXTRA ${control}/shlibs ${control}/triggers)
  list(APPEND package_libraries "${package} (= ${package_version})")
endmacro()

set(package_version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
string(JOIN "\n" package_about
  "faultline is a C++20 logging runtime: every thread's records are held in"
  "memory, and written only when something fails.")
set(package_libraries)
set(core_libraries faultline)
foreach(name syslog journald settings)
  if(TARGET faultline-${name})
    list(APPEND core_libraries faultline-${name})
  endif()
endforeach()
faultline_library_package(faultline_runtime "This package has the shared library, with syslog and journald handlers and\nsettings from JSON."
  ${core_libraries})
set(core_package "${package_libraries}")
get_property(parts GLOBAL PROPERTY faultline_parts)
foreach(part ${parts})
  faultline_library_package(faultline_${part} "This package has the shared library of the component ${part}." faultline-${part})
  set(CPACK_DEBIAN_${capitals}_PACKAGE_DEPENDS "${core_package}")
endforeach()

faultline_package(faultline_development libfaultline-dev libdevel
  "This package has headers, static libraries, manual pages and the files by\nwhich CMake and pkg-config find them.")
list(JOIN package_libraries ", " package_libraries)
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_DEPENDS "${package_libraries}, libfmt-dev (>= 9), libc6-dev")
set(CPACK_DEBIAN_FAULTLINE_DEVELOPMENT_PACKAGE_SUGGESTS
  "libcurl4-openssl-dev, libgoogle-glog-dev, libspdlog-dev, libzstd-dev, pkg-config")
include(CPack)
