# melgrad_library(NAME SOURCES … DEPENDS …): the library of one folder, with an explicit source list.
function(melgrad_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(melgrad_${name} STATIC ${ARG_SOURCES})
  target_include_directories(melgrad_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(melgrad_${name} PUBLIC ${ARG_DEPENDS})
endfunction()

# melgrad_test(NAME SOURCES … DEPENDS …): one doctest program, registered with CTest as NAME.
function(melgrad_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE melgrad_test_main ${ARG_DEPENDS})
  target_compile_definitions(test_${name} PRIVATE
    MELGRAD_SOURCE_DIR="${CMAKE_SOURCE_DIR}" MELGRAD_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
  add_test(NAME ${name} COMMAND test_${name})
  if(MELGRAD_SANITIZE MATCHES "thread")  # a test asks for more memory than there is, and expects a refusal
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      "TSAN_OPTIONS=allocator_may_return_null=1 suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")
  endif()
endfunction()
