# Abseil's locks, compiled with ThreadSanitizer from the sources of Debian's package, in place of Debian's library of the
# same soname. ThreadSanitizer does not see a lock that is not compiled with it: without this whatever an absl::Mutex
# guards is reported as a race, in our code and in what gRPC, which locks by absl::Mutex too, hands from thread to thread.
set(abseil_sources "${GENOSERVE_DEPS}/abseil/absl/synchronization")
if(NOT EXISTS "${abseil_sources}/mutex.cc")
  message(FATAL_ERROR "No sources of Abseil's locks in ${GENOSERVE_DEPS}: run scripts/setup")
endif()
add_library(genoserve_tsan_abseil SHARED
  "${abseil_sources}/barrier.cc"
  "${abseil_sources}/blocking_counter.cc"
  "${abseil_sources}/internal/create_thread_identity.cc"
  "${abseil_sources}/internal/per_thread_sem.cc"
  "${abseil_sources}/internal/waiter.cc"
  "${abseil_sources}/mutex.cc"
  "${abseil_sources}/notification.cc")
# As Debian compiles Abseil; the headers are those of libabsl-dev.
set_target_properties(genoserve_tsan_abseil PROPERTIES
  CXX_STANDARD 14 OUTPUT_NAME absl_synchronization SOVERSION 20220623)
target_link_libraries(genoserve_tsan_abseil PRIVATE
  absl::base absl::graphcycles_internal absl::malloc_internal absl::raw_logging_internal absl::stacktrace absl::symbolize
  absl::time)
# Whoever links Debian's links this instead; what Debian's libraries need is found by its soname, which is loaded already.
set_target_properties(absl::synchronization PROPERTIES
  IMPORTED_LOCATION_NONE "${PROJECT_BINARY_DIR}/libabsl_synchronization.so.20220623")
add_dependencies(absl::synchronization genoserve_tsan_abseil)
