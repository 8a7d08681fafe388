# Looks for nvcc as MELGRAD_CUDA says (AUTO, ON, OFF); sets MELGRAD_HAS_CUDA and enables the language.
set(MELGRAD_HAS_CUDA OFF)
if(MELGRAD_CUDA STREQUAL "OFF")
  message(STATUS "CUDA module: not built (MELGRAD_CUDA is OFF)")
  return()
endif()

include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(NOT MELGRAD_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "MELGRAD_CUDA is ${MELGRAD_CUDA}, but nvcc was not found: put it on PATH or set CUDACXX")
  endif()
  message(STATUS "CUDA module: not built (no nvcc on PATH)")
  return()
endif()

# Machine code for the A100, the RTX 4090 and the H100, and PTX that the driver compiles for newer chips.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 89-real 90)
endif()
# Keeps what ptxas says of registers and spills beside each object; a test reads it (tests/kernels/check_ptxas.cmake).
set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/keep_ptxas_report.sh)
if(MELGRAD_CCACHE)
  list(APPEND CMAKE_CUDA_COMPILER_LAUNCHER ${MELGRAD_CCACHE})
endif()
enable_language(CUDA)
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc speaks C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
# Or CMake names /usr/include to nvcc as a library's folder, ahead of the host compiler's own headers.
list(APPEND CMAKE_CUDA_IMPLICIT_INCLUDE_DIRECTORIES ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
find_package(CUDAToolkit REQUIRED GLOBAL)  # for tests too
set(MELGRAD_HAS_CUDA ON)
message(STATUS "CUDA module: nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
