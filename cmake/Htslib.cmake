# htslib: Debian's libhts3, with the headers that scripts/setup unpacked (libhts-dev conflicts with prometheus-cpp-dev).
find_path(HTSLIB_INCLUDE_DIR htslib/vcf.h
  HINTS "${GENOSERVE_DEPS}/htslib/usr/include" NO_DEFAULT_PATH)
find_path(HTSLIB_INCLUDE_DIR htslib/vcf.h)
find_library(HTSLIB_LIBRARY NAMES libhts.so.3 hts)
if(NOT HTSLIB_INCLUDE_DIR OR NOT HTSLIB_LIBRARY)
  message(FATAL_ERROR "No htslib: run scripts/setup")
endif()
add_library(genoserve_htslib SHARED IMPORTED)
set_target_properties(genoserve_htslib PROPERTIES
  IMPORTED_LOCATION "${HTSLIB_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${HTSLIB_INCLUDE_DIR}")
