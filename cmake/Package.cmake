# The client library for other projects: cmake --install puts it beside the programs, find_package(genoserve) finds it
# and gives the target genoserve::client (docs/cpp.md). `cmake --install BUILD --component library` installs it alone.
include(CMakePackageConfigHelpers)

set(library_targets genoserve_client_lib genoserve_core_base genoserve_core_genotype genoserve_grpc genoserve_proto genoserve_rpc)
foreach(target IN LISTS library_targets)
  string(REGEX REPLACE "^genoserve_" "" name "${target}")
  set_target_properties(${target} PROPERTIES EXPORT_NAME "${name}")
endforeach()
set_target_properties(genoserve_client_lib PROPERTIES EXPORT_NAME client)
target_compile_features(genoserve_client_lib PUBLIC cxx_std_20)
target_include_directories(genoserve_client_lib INTERFACE $<INSTALL_INTERFACE:include> $<INSTALL_INTERFACE:include/genoserve>)

set(package_folder lib/cmake/genoserve)
install(TARGETS ${library_targets} EXPORT genoserve ARCHIVE DESTINATION lib COMPONENT library)
install(EXPORT genoserve FILE genoserveTargets.cmake NAMESPACE genoserve:: DESTINATION ${package_folder} COMPONENT library)
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/genoserveConfig.cmake.in" "${PROJECT_BINARY_DIR}/genoserveConfig.cmake"
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may change what there is.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/genoserveConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/genoserveConfig.cmake" "${PROJECT_BINARY_DIR}/genoserveConfigVersion.cmake"
  DESTINATION ${package_folder} COMPONENT library)

# <genoserve/client.h> includes the others, which are found as in this tree.
install(FILES "${PROJECT_SOURCE_DIR}/client/lib/genoserve.h" DESTINATION include/genoserve RENAME client.h COMPONENT library)
foreach(header
    client/lib/client.h client/lib/client_options.h client/lib/cohort_reader.h
    core/base/sha256.h core/genotype/genotype_matrix.h core/genotype/variant_table.h)
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${PROJECT_SOURCE_DIR}/${header}" DESTINATION "include/genoserve/${folder}" COMPONENT library)
endforeach()
foreach(message types quality manifest cohort operations)
  install(FILES "${PROJECT_BINARY_DIR}/proto/generated/genoserve/v1/${message}.pb.h" DESTINATION include/genoserve/v1
    COMPONENT library)
endforeach()
