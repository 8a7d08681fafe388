// The audio tests, with the instruction set that MELGRAD_SIMD names: golden values hold for each, not only the best.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "kernels/simd.h"
#include "tests/main.h"

int main(int argc, char** argv) {
  using namespace melgrad;
  if (const char* name = std::getenv("MELGRAD_SIMD")) {
    const auto names = simd_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      std::printf("skipped: this processor has no %s\n", name);
      return 0;
    }
    use_simd(name);
  }
  return test::run_tests(argc, argv);
}
