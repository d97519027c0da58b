# faultline_component(name SOURCES file… [LINK library…] [LINK_PUBLIC library…] [FIND package…] [PC module…]): an optional part of its own library,
# faultline::<name>, in include/faultline/<name>.hpp and src/<name>/. It sees the core's public headers only, so that it links
# against a shared core with hidden symbols. FIND names what `find_package(faultline COMPONENTS <name>)` finds first, PC the same for
# pkg-config.
function(faultline_component name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;LINK_PUBLIC;FIND;PC" ${ARGN})
  set(target faultline-${name})
  add_library(${target} ${arg_SOURCES})
  add_library(faultline::${name} ALIAS ${target})
  target_include_directories(${target} PRIVATE src)
  target_link_libraries(${target} PUBLIC faultline ${arg_LINK_PUBLIC} PRIVATE ${arg_LINK})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  faultline_library(${target})
  if(TARGET faultline-${faultline_other_kind})
    faultline_other_kind(${target} ${name} PUBLIC faultline-${faultline_other_kind} ${arg_LINK_PUBLIC} PRIVATE ${arg_LINK})
  endif()
  if(FAULTLINE_INSTALL)
    set(part faultline_runtime)
    if(arg_LINK OR arg_LINK_PUBLIC)
      set(part faultline_${name})
      set_property(GLOBAL APPEND PROPERTY faultline_parts ${name})
    endif()
    faultline_install(${target} faultline-${name}-targets ${part})
    # What a shared library hides from its users is looked for on behalf of a static one beside it, and may be missing.
    set(find "find_dependency(")
    set(find_end ")")
    set(pkg_config_kind REQUIRES)
    if(NOT arg_LINK_PUBLIC)
      set(pkg_config_kind STATIC_REQUIRES)
      if(faultline_type STREQUAL "SHARED_LIBRARY")
        set(find "find_package(")
        set(find_end " QUIET)")
      endif()
    endif()
    set(text "include(CMakeFindDependencyMacro)\n")
    foreach(package ${arg_FIND})
      string(APPEND text "${find}${package}${find_end}\n")
    endforeach()
    string(APPEND text "include(\${CMAKE_CURRENT_LIST_DIR}/faultline-${name}-targets.cmake)\n")
    file(WRITE ${PROJECT_BINARY_DIR}/components/faultline-${name}.cmake "${text}")
    install(FILES ${PROJECT_BINARY_DIR}/components/faultline-${name}.cmake DESTINATION ${faultline_config_dir}
      COMPONENT faultline_development)
    if(arg_PC)
      list(PREPEND arg_PC ${pkg_config_kind})
    endif()
    faultline_pkg_config(${target} "The component ${name} of faultline" REQUIRES faultline ${arg_PC})
  endif()
endfunction()

# faultline_wants(out option description found): whether an optional component is built. AUTO takes it when what it needs is
# there; ON without it is an error.
function(faultline_wants out option description found)
  set(${option} AUTO CACHE STRING "${description}: ON, OFF, or AUTO where what it needs is found")
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
  if("${${option}}" STREQUAL "AUTO")
    set(${out} ${found} PARENT_SCOPE)
    return()
  endif()
  if(${option} AND NOT "${found}")
    message(FATAL_ERROR "${option} is ON, and what it needs was not found (${description})")
  endif()
  set(${out} ${${option}} PARENT_SCOPE)
endfunction()

# --- the components ---

if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  faultline_component(syslog
    SOURCES src/syslog/message_queue.cpp src/syslog/syslog_encoder.cpp src/syslog/syslog_handler.cpp
      src/syslog/syslog_link.cpp src/syslog/syslog_text.cpp)
  faultline_component(journald
    SOURCES src/journald/journal_entry.cpp src/journald/journal_socket.cpp src/journald/journald_handler.cpp)
endif()

# A spdlog with an fmt of its own cannot stand in one source file with ours.
find_package(spdlog QUIET)
set(spdlog_usable FALSE)
if(TARGET spdlog::spdlog)
  get_target_property(spdlog_definitions spdlog::spdlog INTERFACE_COMPILE_DEFINITIONS)
  if("SPDLOG_FMT_EXTERNAL" IN_LIST spdlog_definitions)
    set(spdlog_usable TRUE)
  endif()
endif()
faultline_wants(with_spdlog FAULTLINE_SPDLOG "The bridges to spdlog, built with the external fmt" ${spdlog_usable})
if(with_spdlog)
  faultline_component(spdlog SOURCES src/spdlog/spdlog_handler.cpp src/spdlog/spdlog_sink.cpp
    LINK_PUBLIC spdlog::spdlog FIND spdlog PC spdlog)
endif()

find_package(glog QUIET)
set(glog_usable FALSE)
if(TARGET glog::glog)
  set(glog_usable TRUE)
endif()
faultline_wants(with_glog FAULTLINE_GLOG "The bridge from glog" ${glog_usable})
if(with_glog)
  faultline_component(glog SOURCES src/glog/glog_sink.cpp LINK_PUBLIC glog::glog FIND glog PC libglog)
endif()

find_package(CURL 7.88 QUIET)
faultline_wants(with_smtp FAULTLINE_SMTP "The component smtp, which needs libcurl 7.88" ${CURL_FOUND})
if(with_smtp)
  faultline_component(smtp
    SOURCES src/smtp/curl_descriptors.cpp src/smtp/fork_gate.cpp src/smtp/mail_group.cpp src/smtp/mail_text.cpp src/smtp/mailer.cpp src/smtp/options.cpp src/smtp/session.cpp
    LINK CURL::libcurl FIND CURL PC libcurl)
endif()

find_package(nlohmann_json QUIET)
faultline_wants(with_settings FAULTLINE_SETTINGS "The component settings, which needs nlohmann's json" "${nlohmann_json_FOUND}")
if(with_settings)
  faultline_component(settings SOURCES src/settings/json_configuration.cpp)
  target_link_libraries(faultline-settings PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>) # headers only
endif()
