#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/main.h"

// An impossible allocation must come back as a null pointer, as it does without the sanitizer: tests ask for some.
extern "C" const char* __asan_default_options();  // NOLINT: the sanitizer's name
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}

namespace melgrad::test {

int run_tests(int argc, char** argv) {
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}

}  // namespace melgrad::test
