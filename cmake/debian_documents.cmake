# Run by cpack between the installation of the parts and the making of the packages: what Debian's policy wants in each
# (/usr/share/doc/PACKAGE) and how (manual pages are compressed).
find_program(gzip gzip REQUIRED)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(READ ${CMAKE_CURRENT_LIST_DIR}/../LICENSE licence)

function(compress)
  execute_process(COMMAND ${gzip} -9nf ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(part ${CPACK_COMPONENTS_ALL})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${part}/usr)
  string(TOUPPER ${part} part_upper)
  set(package ${CPACK_DEBIAN_${part_upper}_PACKAGE_NAME})
  set(documents ${root}/share/doc/${package})
  file(WRITE ${documents}/copyright "faultline is free software under the MIT (Expat) licence:\n\n${licence}")
  file(WRITE ${documents}/changelog.Debian
    "faultline (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
    "  * Release ${CPACK_PACKAGE_VERSION}.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/../CHANGELOG.md ${documents}/changelog)
  compress(${documents}/changelog.Debian ${documents}/changelog)
  file(GLOB_RECURSE pages ${root}/share/man/*)
  if(pages)
    compress(${pages})
  endif()
  file(GLOB_RECURSE files ${documents}/*)
  file(CHMOD ${files} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()
