# Compiler options of every target, and the one way to declare a library or a test.

add_library(vitrine_options INTERFACE)
target_include_directories(vitrine_options INTERFACE ${CMAKE_SOURCE_DIR})
# GCC 12 warns falsely: restrict on "a" + string, maybe-uninitialized on what a Result holds.
target_compile_options(vitrine_options INTERFACE -Wall -Wextra -Wno-restrict -Wno-maybe-uninitialized)
if(VITRINE_WERROR)
  target_compile_options(vitrine_options INTERFACE -Werror)
endif()
if(VITRINE_SANITIZE)
  target_compile_options(vitrine_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                                   -fno-omit-frame-pointer -O1)
  target_link_options(vitrine_options INTERFACE -fsanitize=address,undefined)
endif()

if(VITRINE_FUZZ)
  target_compile_options(vitrine_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined -O1
                                                   -fno-sanitize-recover=undefined -fno-omit-frame-pointer
                                                   -Wno-unknown-warning-option) # clang knows not all of GCC's
  target_link_options(vitrine_options INTERFACE -fsanitize=address,undefined)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  ${CCACHE})
endif()

# vitrine_batch(TARGET): compiles its sources eight at a time, so that their headers are read once: a third of the time
# from nothing, more after an edit. For rooms whose headers cost more than their code; names in their unnamed namespaces
# must differ within a room. scripts/lint reads each file alone and finds includes that are missing.
function(vitrine_batch target)
  if(VITRINE_BATCH)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# vitrine_library(NAME [LINKS targets...]): a static library of every .cpp in the current folder.
function(vitrine_library name)
  cmake_parse_arguments(ARG "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC vitrine_options ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

add_custom_target(programs)        # what scripts/build makes; app/ adds to it
add_custom_target(sanitized_tests) # what scripts/test makes a second time, with sanitizers

# Rooms whose tests run again under sanitizers on every change: those that read bytes from outside. scripts/sanitize
# does it for every room.
set(VITRINE_SANITIZED_ROOMS base formats tokenizer chat catalogue fuzz store session model)

# vitrine_test(NAME [NO_SANITIZE] LINKS targets...): one QtTest program from NAME.cpp, with the fixtures folder set.
# NO_SANITIZE: not worth a second build (windows, programs run from outside).
function(vitrine_test name)
  cmake_parse_arguments(ARG "NO_SANITIZE" "" "LINKS" ${ARGN})
  add_executable(${name} ${name}.cpp)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME room)
  if(ARG_NO_SANITIZE OR NOT room IN_LIST VITRINE_SANITIZED_ROOMS)
    set(sanitized OFF)
  else()
    set(sanitized ON)
    add_dependencies(sanitized_tests ${name})
  endif()
  set_target_properties(${name} PROPERTIES AUTOMOC ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE vitrine_options Qt6::Test ${ARG_LINKS})
  # What is tested is in the libraries; a test runs once for each time it is compiled.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_compile_definitions(${name} PRIVATE VITRINE_FIXTURES="${CMAKE_SOURCE_DIR}/tests/fixtures"
                                             VITRINE_RESOURCES="${CMAKE_SOURCE_DIR}/resources")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "QT_QPA_PLATFORM=offscreen" TIMEOUT 600)
  if(sanitized)
    set_tests_properties(${name} PROPERTIES LABELS sanitized)
  endif()
endfunction()
