# genoserve_room(core/io SOURCES ... DEPS ...) makes the library genoserve_core_io; genoserve_room_test(core/io
# SOURCES ... DEPS ...) makes its test binary, genoserve_core_io_test. A room with TORCH sees LibTorch.
function(genoserve_target_defaults target)
  # GCC 12 warns wrongly of -Wrestrict in std::string's operator+ (GCC bug 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()

function(genoserve_room room)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS" ${ARGN})
  string(REPLACE "/" "_" name "genoserve_${room}")
  add_library(${name} STATIC ${ROOM_SOURCES})
  genoserve_target_defaults(${name})
  target_link_libraries(${name} PUBLIC ${ROOM_DEPS})
endfunction()

function(genoserve_room_test room)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS" ${ARGN})
  string(REPLACE "/" "_" name "genoserve_${room}_test")
  add_executable(${name} ${ROOM_SOURCES})
  genoserve_target_defaults(${name})
  target_link_libraries(${name} PRIVATE ${ROOM_DEPS} GTest::gmock_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  # One entry a binary; scripts/test runs them and sums their test cases.
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  # LibTorch's threads sleep while they wait, as in our programs: spinning costs minutes where other tests run beside.
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "GOMP_SPINCOUNT=0;LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/lsan.supp print_suppressions=0;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp history_size=7 allocator_may_return_null=1")
endfunction()

# genoserve_program(genoserve-server SOURCES ... DEPS ...) makes a program in bin/ that cmake --install takes along.
function(genoserve_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  genoserve_target_defaults(${name})
  target_link_libraries(${name} PRIVATE ${PROGRAM_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
