# LibTorch 2.11.0 from LIBTORCH_ROOT (lib/ and include/), as imported targets. The package that comes with the wheel
# stops without a CUDA toolkit; torch_cpu and c10 are all that is linked, and CUDA is loaded at run time.
set(LIBTORCH_ROOT "$ENV{LIBTORCH_ROOT}" CACHE PATH "Unpacked LibTorch 2.11.0")
if(NOT LIBTORCH_ROOT)
  set(LIBTORCH_ROOT "${GENOSERVE_DEPS}/libtorch/torch")
endif()
if(NOT EXISTS "${LIBTORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch in ${LIBTORCH_ROOT}: run scripts/setup, or set LIBTORCH_ROOT")
endif()

set(libtorch_include "${LIBTORCH_ROOT}/include")
if(EXISTS "${libtorch_include}/google")
  # The Protobuf headers that LibTorch brings would shadow the system's: its other headers are linked apart.
  set(libtorch_include "${PROJECT_BINARY_DIR}/libtorch-include")
  file(MAKE_DIRECTORY "${libtorch_include}")
  file(GLOB entries RELATIVE "${LIBTORCH_ROOT}/include" "${LIBTORCH_ROOT}/include/*")
  list(REMOVE_ITEM entries google)
  foreach(entry IN LISTS entries)
    file(CREATE_LINK "${LIBTORCH_ROOT}/include/${entry}" "${libtorch_include}/${entry}" SYMBOLIC)
  endforeach()
endif()

add_library(genoserve_c10 SHARED IMPORTED)
set_target_properties(genoserve_c10 PROPERTIES IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libc10.so")

add_library(genoserve_torch SHARED IMPORTED)
set_target_properties(genoserve_torch PROPERTIES
  IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libtorch_cpu.so"
  INTERFACE_INCLUDE_DIRECTORIES "${libtorch_include};${libtorch_include}/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES genoserve_c10
  # libtorch_cpu.so brings its CUDA runtime by an RPATH of its own, which the linker does not follow.
  INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined")
