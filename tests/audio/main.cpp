// The audio tests, with the instruction set that MELGRAD_SIMD names: golden values hold for each, not only the best.
#include "tests/main.h"
#include "tests/simd_environment.h"

int main(int argc, char** argv) {
  if (!melgrad::test::use_simd_of_environment()) return 0;
  return melgrad::test::run_tests(argc, argv);
}
