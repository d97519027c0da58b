include(CMakePackageConfigHelpers)

set(faultline_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/faultline)
install(TARGETS faultline EXPORT faultline-targets)
install(DIRECTORY include/faultline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT faultline-targets NAMESPACE faultline:: DESTINATION ${faultline_config_dir})
configure_package_config_file(cmake/faultline-config.cmake.in ${PROJECT_BINARY_DIR}/faultline-config.cmake
  INSTALL_DESTINATION ${faultline_config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/faultline-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/faultline-config.cmake ${PROJECT_BINARY_DIR}/faultline-config-version.cmake
  DESTINATION ${faultline_config_dir})
# The file finds the prefix from its own place, so that an installation may be moved.
file(RELATIVE_PATH faultline_prefix_from_pc "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
if(FAULTLINE_WITH_ZSTD AND faultline_type STREQUAL "STATIC_LIBRARY")
  set(faultline_static_libraries " -lzstd")
endif()
configure_file(cmake/faultline.pc.in ${PROJECT_BINARY_DIR}/faultline.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/faultline.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
