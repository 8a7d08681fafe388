// The kernels' tests, and after them the table of what they covered. A hole fails the program; where only some tests were
// asked for (any argument) there is no table.
#include <cstdio>

#include "tests/kernels/coverage.h"
#include "tests/main.h"
#include "tests/simd_environment.h"

int main(int argc, char** argv) {
  if (!melgrad::test::use_simd_of_environment()) return 0;
  const int failed = melgrad::test::run_tests(argc, argv);
  if (argc > 1) return failed;
  const melgrad::test::CoverageReport report = melgrad::test::coverage_report();
  std::printf("\n%s\n", report.table.c_str());
  for (const std::string& hole : report.holes) std::printf("hole: %s\n", hole.c_str());
  return failed != 0 ? failed : report.holes.empty() ? 0 : 1;
}
