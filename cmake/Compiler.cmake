# Language level, warnings, sanitizers, and the linker and compiler cache where they are present.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall$<SEMICOLON>-Wextra$<SEMICOLON>-Wshadow$<SEMICOLON>-Werror>)

if(MELGRAD_SANITIZE)
  add_compile_options(-fsanitize=${MELGRAD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # -O1 and line numbers alone halve the minutes of the build. GCC's manual: with sanitizers warnings of uninitialised
  # variables are often false; <regex> gives one.
  add_compile_options(-O1 -g1 -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=${MELGRAD_SANITIZE})
endif()

find_program(MELGRAD_CCACHE ccache)
if(MELGRAD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MELGRAD_CCACHE})
endif()
find_program(MELGRAD_MOLD mold)
if(MELGRAD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
